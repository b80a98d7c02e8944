"""Cut sharp patches from photographs and blur them at every level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field, model_validator

from defocus_core.blur.kernels import blur_matrix, disk_blur, effective_sigma, gaussian_blur
from defocus_core.blur.levels import Levels
from defocus_core.constants import PATCH_SIZE
from defocus_core.io.color import to_grey
from defocus_core.io.read import read_for_measuring
from defocus_core.settings import Fraction, Real, Settings, Whole
from defocus_core.training.patch_store import PatchWriter


class PatchConfig(Settings):
    """Settings of the patches: how they are cut from a sharp photograph and blurred."""

    levels: Levels = Field(Levels(), description="The blur levels.")
    domain: Literal["patch", "image"] = Field(
        "patch",
        description="`patch` blurs the isolated patch (Galetto & Deng 2022); `image` blurs the photograph, "
        "then cuts, "
        "as a camera does.",
    )
    kernel: Literal["paper", "full"] = Field(
        "paper",
        description="`paper` has 2 sigma + 1 taps, so the true sigma is smaller, by 1.35 at level 1 to "
        "1.81 at "
        "level 19; `full` reaches 4 sigma to each side.",
    )
    border: Literal["mirror", "replicate", "zero"] = Field(
        "mirror",
        description="How a filter continues beyond the border; in the patch domain, part of the method.",
    )
    disk_fraction: Fraction = Field(
        0.0,
        description="Fraction of photographs blurred by a disk of the same standard deviation in place of the "
        "Gaussian; in the image domain only.",
    )
    stride: Whole = Field(32, ge=1, description="Distance between patches of one photograph, pixels.")
    min_sharpness: Real = Field(
        1000.0,
        ge=0,
        description="Least variance of the Laplacian of a sharp patch, squared grey levels of 0..255; the "
        "paper's is "
        "1000.",
    )
    flat_fraction: Real = Field(
        0.0,
        ge=0,
        description="Patches below that sharpness that are kept too, as a fraction of the sharp ones.",
    )
    max_per_image: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        None, description="Most sharp patches of one photograph, drawn at random; null for all."
    )

    @model_validator(mode="after")
    def _check_levels(self) -> PatchConfig:
        sigmas = self.sigmas()
        if not (np.diff(sigmas) > 0).all():
            listed = ", ".join(f"{sigma:.2f}" for sigma in sigmas)
            raise ValueError(
                f"levels blur ever more, these by {listed} pixels; "
                "where the kernel cuts them off, `kernel: full` does not"
            )
        if self.disk_fraction and self.domain == "patch":
            raise ValueError(
                f"disk_fraction {self.disk_fraction:g} asks for the image domain, not for that of the patch"
            )
        return self

    def sigmas(self) -> np.ndarray:
        """Return the true standard deviation of each level, (levels,) float32 in pixels."""
        nominal = self.levels.nominal()
        return np.array([effective_sigma(s, self.kernel) for s in nominal], np.float32)


def patch_sharpness(image: np.ndarray, *, stride: int = PATCH_SIZE) -> np.ndarray:
    """Return the sharpness phi of every 32x32 window on a grid.

    Phi is the variance of the Laplacian after a 3x3 Gaussian smoothing of sigma 0.8 (Galetto & Deng 2022,
    section 3.1), with both filters run over the whole image, so that a window's border sees its
    true neighbours.

    Parameters
    ----------
    image : (H, W) float32 grey in [0, 1]
    stride : pixels between windows

    Returns
    -------
    ((H - 32) // stride + 1, (W - 32) // stride + 1) float64, in squared grey levels of 0..255;
    an image smaller than a window gives an empty array

    Examples
    --------
    >>> flat = np.full((64, 96), 0.5, np.float32)
    >>> patch_sharpness(flat).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    height, width = image.shape
    if min(height, width) < PATCH_SIZE:
        return np.zeros((0, 0))
    smooth = cv2.GaussianBlur(image * np.float32(255), (3, 3), 0.8)
    laplacian = cv2.Laplacian(smooth, cv2.CV_32F)
    total, squares = cv2.integral2(laplacian, sdepth=cv2.CV_64F, sqdepth=cv2.CV_64F)
    mean, square = (_window_mean(table, stride) for table in (total, squares))
    return square - mean**2


def select_corners(image: np.ndarray, config: PatchConfig, rng: np.random.Generator) -> np.ndarray:
    """Select the top left corners of the patches of a photograph.

    Returns
    -------
    (N, 2) int32 of row and column, in reading order
    """
    phi = patch_sharpness(image, stride=config.stride)
    sharp = np.argwhere(phi > config.min_sharpness)
    chosen = sharp
    if config.max_per_image is not None and len(sharp) > config.max_per_image:
        chosen = rng.permutation(sharp)[: config.max_per_image]
    if config.flat_fraction:
        flat = rng.permutation(np.argwhere(phi <= config.min_sharpness))
        chosen = np.concatenate([chosen, flat[: round(config.flat_fraction * max(len(chosen), 1))]])
    order = np.lexsort((chosen[:, 1], chosen[:, 0]))
    return (chosen[order] * config.stride).astype(np.int32)


def extract_patches(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the 32x32 patches at the corners, (N, 32, 32) of the image's dtype.

    Examples
    --------
    >>> image = np.arange(64 * 64).reshape(64, 64)
    >>> patches = extract_patches(image, np.array([[0, 0], [0, 32]]))
    >>> patches.shape, int(patches[1, 0, 0])
    ((2, 32, 32), 32)
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, (PATCH_SIZE, PATCH_SIZE))
    return windows[corners[:, 0], corners[:, 1]]


def blur_patches(
    image: np.ndarray, corners: np.ndarray, config: PatchConfig, *, by_disk: bool = False
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the patches of a photograph, level by level.

    Parameters
    ----------
    image : (H, W) float32 grey in [0, 1]
    corners : (N, 2) as from `select_corners`
    config : levels, domain, kernel and border
    by_disk : blur the image by a disk of each level's standard deviation

    Yields
    ------
    level index, (N, 32, 32) uint8
    """
    make = _blur_isolated if config.domain == "patch" else _disk_then_cut if by_disk else _blur_then_cut
    for level, sigma in enumerate(config.levels.nominal()):
        patches = make(image, corners, sigma, config)
        yield level, np.rint(np.clip(patches, 0, 1) * 255).astype(np.uint8)


def _blur_isolated(image: np.ndarray, corners: np.ndarray, sigma: float, config: PatchConfig) -> np.ndarray:
    matrix = blur_matrix(PATCH_SIZE, sigma, kernel=config.kernel, border=config.border)
    return matrix @ extract_patches(image, corners) @ matrix.T


def _blur_then_cut(image: np.ndarray, corners: np.ndarray, sigma: float, config: PatchConfig) -> np.ndarray:
    return extract_patches(gaussian_blur(image, sigma, kernel=config.kernel, border=config.border), corners)


def _disk_then_cut(image: np.ndarray, corners: np.ndarray, sigma: float, config: PatchConfig) -> np.ndarray:
    return extract_patches(disk_blur(image, effective_sigma(sigma, config.kernel), border=config.border), corners)


def _window_mean(table: np.ndarray, stride: int) -> np.ndarray:
    top, bottom = table[:-PATCH_SIZE:stride], table[PATCH_SIZE::stride]
    sums = (
        bottom[:, PATCH_SIZE::stride]
        - bottom[:, :-PATCH_SIZE:stride]
        - top[:, PATCH_SIZE::stride]
        + top[:, :-PATCH_SIZE:stride]
    )
    return sums / PATCH_SIZE**2


def write_patches(
    members: Iterable[tuple[str, Path]],
    path: str | Path,
    *,
    config: PatchConfig,
    seed: int,
    parameters: dict,
    shard: tuple[int, int] = (0, 1),
) -> int:
    """Synthesize the patches of photographs, one at a time, into a patch file.

    Parameters
    ----------
    members : name and file of each photograph; the name (its sha256) also seeds what is drawn from it
    path : HDF5 file to write, see `PatchWriter`
    config, seed : how patches are made
    parameters : kept in the file
    shard : k of n: make the patches of every n-th photograph from the k-th on; the shards of a split
        make up its file (`join_shards`)

    Returns
    -------
    number of patches; a shard may have none
    """
    members = list(members)
    names = [name for name, _ in members]
    with PatchWriter(path, sigmas=config.sigmas(), images=names, parameters=parameters) as writer:
        for index, (name, file) in list(enumerate(members))[shard[0] :: shard[1]]:
            grey = to_grey(read_for_measuring(file))
            rng = np.random.default_rng([seed, int(name[:16], 16)])
            corners = select_corners(grey, config, rng)
            if not len(corners):
                continue
            by_disk = rng.random() < config.disk_fraction
            for level, batch in blur_patches(grey, corners, config, by_disk=by_disk):
                writer.append(patches=batch, level=level, image=index, position=corners)
        return len(writer)
