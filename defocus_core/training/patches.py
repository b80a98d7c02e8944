"""Cut sharp patches from photographs and blur them at every level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from defocus_core.blur.kernels import BORDERS, KERNELS, blur_matrix, disk_blur, effective_sigma, gaussian_blur
from defocus_core.blur.levels import Levels
from defocus_core.constants import PATCH_SIZE
from defocus_core.io.color import to_grey
from defocus_core.io.read import read_image
from defocus_core.training.patch_store import PatchWriter


@dataclass(frozen=True)
class PatchConfig:
    """How patches are made from a sharp photograph.

    Parameters
    ----------
    levels : the blur levels
    domain : `patch` blurs the isolated patch (Galetto & Deng); `image` blurs the photograph and
        then cuts, as a camera does
    kernel : `paper` or `full`, see `gaussian_kernel`
    border : `mirror`, `replicate` or `zero`
    disk : share of photographs, drawn at random, that are blurred by a disk of the same standard deviation in
        place of the Gaussian; in the image domain only
    stride : pixels between the patches of one photograph
    sharpness : least variance of the Laplacian (grey levels 0..255) of a sharp patch
    flat_share : patches below that sharpness that are kept too, as a share of the sharp ones
    cap : most sharp patches of one photograph, drawn at random; None for all
    """

    levels: Levels = Levels()
    domain: str = "patch"
    kernel: str = "paper"
    border: str = "mirror"
    disk: float = 0.0
    stride: int = 32
    sharpness: float = 1000.0
    flat_share: float = 0.0
    cap: int | None = None

    def __post_init__(self):
        if self.domain not in ("patch", "image"):
            raise ValueError(f"no blur domain {self.domain!r}; known: patch, image")
        if self.kernel not in KERNELS:
            raise ValueError(f"no kernel {self.kernel!r}; known: {', '.join(KERNELS)}")
        if self.border not in BORDERS:
            raise ValueError(f"no border {self.border!r}; known: {', '.join(BORDERS)}")
        found = self.sigmas()
        if not (np.diff(found) > 0).all():
            listed = ", ".join(f"{sigma:.2f}" for sigma in found)
            raise ValueError(
                f"levels blur ever more, these by {listed} pixels; "
                "where the kernel cuts them off, `kernel: full` does not"
            )
        if self.disk and self.domain == "patch":
            raise ValueError(f"disk {self.disk:g} asks for the image domain, not for that of the patch")

    def sigmas(self) -> np.ndarray:
        """Return the true standard deviation of each level, (levels,) float32 in pixels."""
        nominal = self.levels.nominal()
        return np.array([effective_sigma(s, self.kernel) for s in nominal], np.float32)


def patch_config_from(options: dict) -> PatchConfig:
    """Build a `PatchConfig` from a mapping such as the workflow's `patches` section."""
    options = dict(options)
    levels = Levels(**options.pop("levels", {}))
    return PatchConfig(levels=levels, **options)


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
    """
    height, width = image.shape
    if min(height, width) < PATCH_SIZE:
        return np.zeros((0, 0))
    smooth = cv2.GaussianBlur(image * np.float32(255), (3, 3), 0.8)
    laplacian = cv2.Laplacian(smooth, cv2.CV_32F)
    total, squares = cv2.integral2(laplacian, sdepth=cv2.CV_64F, sqdepth=cv2.CV_64F)
    mean, square = (_window_mean(table, stride) for table in (total, squares))
    return square - mean**2


def select_corners(image: np.ndarray, recipe: PatchConfig, rng: np.random.Generator) -> np.ndarray:
    """Return the top left corners of the patches that a recipe takes from a photograph.

    Returns
    -------
    (N, 2) int32 of row and column, in reading order
    """
    phi = patch_sharpness(image, stride=recipe.stride)
    sharp = np.argwhere(phi > recipe.sharpness)
    chosen = sharp
    if recipe.cap is not None and len(sharp) > recipe.cap:
        chosen = rng.permutation(sharp)[: recipe.cap]
    if recipe.flat_share:
        flat = rng.permutation(np.argwhere(phi <= recipe.sharpness))
        chosen = np.concatenate([chosen, flat[: round(recipe.flat_share * max(len(chosen), 1))]])
    order = np.lexsort((chosen[:, 1], chosen[:, 0]))
    return (chosen[order] * recipe.stride).astype(np.int32)


def extract_patches(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the 32x32 patches at the corners, (N, 32, 32) of the image's dtype."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (PATCH_SIZE, PATCH_SIZE))
    return windows[corners[:, 0], corners[:, 1]]


def blur_patches(
    image: np.ndarray, corners: np.ndarray, recipe: PatchConfig, *, by_disk: bool = False
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the patches of a photograph, level by level.

    Parameters
    ----------
    image : (H, W) float32 grey in [0, 1]
    corners : (N, 2) as from `select_corners`
    recipe : levels, domain, kernel and border
    by_disk : blur the image by a disk of each level's standard deviation

    Yields
    ------
    level index, (N, 32, 32) uint8
    """
    make = _blur_isolated if recipe.domain == "patch" else _disk_then_cut if by_disk else _blur_then_cut
    for level, sigma in enumerate(recipe.levels.nominal()):
        patches = make(image, corners, sigma, recipe)
        yield level, np.rint(np.clip(patches, 0, 1) * 255).astype(np.uint8)


def _blur_isolated(image, corners, sigma, recipe):
    matrix = blur_matrix(PATCH_SIZE, sigma, recipe=recipe.kernel, border=recipe.border)
    return matrix @ extract_patches(image, corners) @ matrix.T


def _blur_then_cut(image, corners, sigma, recipe):
    return extract_patches(gaussian_blur(image, sigma, recipe=recipe.kernel, border=recipe.border), corners)


def _disk_then_cut(image, corners, sigma, recipe):
    return extract_patches(
        disk_blur(image, effective_sigma(sigma, recipe.kernel), border=recipe.border), corners
    )


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
    recipe: PatchConfig,
    seed: int,
    parameters: dict,
    shard: tuple[int, int] = (0, 1),
) -> int:
    """Synthesize the patches of photographs, one at a time, into a patch file.

    Parameters
    ----------
    members : name and file of each photograph; the name (its sha256) also seeds what is drawn from it
    path : HDF5 file to write, see `PatchWriter`
    recipe, seed : how patches are made
    parameters : kept in the file
    shard : k of n: make the patches of every n-th photograph from the k-th on; the shards of a split
        make up its file (`join_shards`)

    Returns
    -------
    number of patches; a shard may have none
    """
    members = list(members)
    names = [name for name, _ in members]
    with PatchWriter(path, sigmas=recipe.sigmas(), images=names, parameters=parameters) as writer:
        for index, (name, file) in list(enumerate(members))[shard[0] :: shard[1]]:
            grey = to_grey(read_image(file))
            rng = np.random.default_rng([seed, int(name[:16], 16)])
            corners = select_corners(grey, recipe, rng)
            if not len(corners):
                continue
            by_disk = rng.random() < recipe.disk
            for level, batch in blur_patches(grey, corners, recipe, by_disk=by_disk):
                writer.append(patches=batch, level=level, image=index, position=corners)
        return len(writer)
