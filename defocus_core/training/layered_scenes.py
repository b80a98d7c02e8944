"""Training scenes: layers of sharp photographs, blurred with true occlusion, sigma known everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import h5py
import numpy as np
from pydantic import Field, model_validator
from skimage.segmentation import felzenszwalb

from defocus_core.blur.kernels import disk_blur
from defocus_core.blur.rendering import random_blob
from defocus_core.io import atomic
from defocus_core.settings import Fraction, Real, Settings, Whole

LABEL_STRIDE = 4  # pixels of the image to one label


class SceneConfig(Settings):
    """How layered training scenes are drawn."""

    size: Whole = Field(192, ge=64, multiple_of=8, description="Side of a scene, pixels; a multiple of 8.")
    min_sigma: Real = Field(
        0.4,
        gt=0,
        description="Least sigma of a blurred layer, pixels; sigma is drawn evenly in its logarithm.",
    )
    max_sigma: Real = Field(12.0, gt=0, description="Largest sigma, pixels.")
    disk_fraction: Fraction = Field(0.5, description="Fraction of scenes blurred by a disk in place of a Gaussian.")
    linear_light_fraction: Fraction = Field(0.5, description="Fraction of scenes blurred in linear light.")
    shaded_fraction: Fraction = Field(
        0.0, description="Fraction of objects that are smooth in parts, as skin and paint are."
    )

    @model_validator(mode="after")
    def _check_range(self) -> SceneConfig:
        if not self.min_sigma < self.max_sigma:
            raise ValueError(f"min_sigma {self.min_sigma:g} is not below max_sigma {self.max_sigma:g}")
        return self


@dataclass(frozen=True)
class SegmentedPhotograph:
    """A sharp grey photograph and a segmentation whose regions serve as silhouettes."""

    grey: np.ndarray
    regions: np.ndarray

    @classmethod
    def of(cls, grey: np.ndarray) -> SegmentedPhotograph:
        """Segment an (H, W) float32 grey photograph."""
        small = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        regions = felzenszwalb(small, scale=300, sigma=0.8, min_size=150)
        size = (grey.shape[1], grey.shape[0])
        return cls(grey, cv2.resize(regions.astype(np.int32), size, interpolation=cv2.INTER_NEAREST))


def draw_scene(
    photographs: Sequence[SegmentedPhotograph], config: SceneConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one scene: a background, flat or receding, and up to two objects before it.

    Returns
    -------
    (size, size) uint8 image and (size / 4, size / 4) float32 sigma in pixels of the visible surface
    """
    lens = _Lens(disk=rng.random() < config.disk_fraction, linear=rng.random() < config.linear_light_fraction)
    margin = 32
    frame = config.size + 2 * margin
    back, regions = _draw_crop(photographs[int(rng.integers(len(photographs)))], frame, rng)
    far, near = _draw_sigmas(config, rng)
    canvas, sigma = _draw_background(back, far, lens, config, rng)
    for _ in range(rng.choice([0, 1, 2], p=[0.2, 0.6, 0.2])):
        mask = _draw_silhouette(regions, rng)
        same = rng.random() < 0.5
        front = back if same else _draw_crop(photographs[int(rng.integers(len(photographs)))], frame, rng)[0]
        if config.shaded_fraction and rng.random() < config.shaded_fraction:
            front = _shade_partly(front, rng)
        coverage = mask.astype(np.float32)
        colour, coverage = lens(lens.light(front) * coverage, near), lens(coverage, near)
        canvas = colour + (1 - coverage) * canvas
        sigma = np.where(mask, np.float32(near), sigma)
        near = _draw_sigma(config, rng)
    inside = slice(margin, margin + config.size)
    image = lens.developed(canvas)[inside, inside]
    label = sigma[inside, inside][LABEL_STRIDE // 2 :: LABEL_STRIDE, LABEL_STRIDE // 2 :: LABEL_STRIDE]
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8), label


def split_seed(seed: int, split: str) -> int:
    """Return a seed of its own for each split."""
    return 10 * seed + ("train", "validation", "test").index(split)


def write_scenes(
    photographs: Sequence[np.ndarray], path: str | Path, *, config: SceneConfig, count: int, seed: int
) -> None:
    """Write scenes to HDF5: `images` (count, size, size) uint8, `sigma` float16 at every fourth pixel.

    Parameters
    ----------
    photographs : (H, W) float32 grey, sharp all over
    """
    prepared = [SegmentedPhotograph.of(grey) for grey in photographs if min(grey.shape) >= 100]
    if not prepared:
        raise ValueError(
            f"none of {len(photographs)} photographs has 100 pixels a side; "
            "add some, or lower layered_scenes.min_sharp_fraction"
        )
    cells = config.size // LABEL_STRIDE
    with atomic.replacing(path) as part, h5py.File(part, "w") as file:
        images = file.create_dataset(
            "images", (count, config.size, config.size), np.uint8, chunks=(1, config.size, config.size)
        )
        sigma = file.create_dataset("sigma", (count, cells, cells), np.float16, chunks=(1, cells, cells))
        for index in range(count):
            rng = np.random.default_rng([seed, index])
            images[index], sigma[index] = draw_scene(prepared, config, rng)


def read_scenes(path: str | Path) -> dict[str, np.ndarray]:
    """Read what `write_scenes` wrote: `images` and `sigma`.

    Raises
    ------
    ValueError
        If the file is damaged or of something else.
    """
    try:
        with h5py.File(path) as file:
            columns = {name: file[name][:] for name in ("images", "sigma")}
    except Exception as error:  # HDF5 raises nearly anything on damaged files
        raise ValueError(f"{path}: damaged or cut off ({error}); delete it and run again") from error
    cells = tuple(side // LABEL_STRIDE for side in columns["images"].shape[1:])
    if columns["images"].ndim != 3 or columns["sigma"].shape[1:] != cells:
        raise ValueError(f"{path}: these are no scenes; delete it and run again")
    return columns


class _Lens:
    """Blur by one aperture shape, in linear light or in the picture's own tone curve."""

    def __init__(self, *, disk: bool, linear: bool):
        self._disk, self._linear = disk, linear

    def light(self, image: np.ndarray) -> np.ndarray:
        return image**2.2 if self._linear else image

    def developed(self, light: np.ndarray) -> np.ndarray:
        return np.clip(light, 0, 1) ** (1 / 2.2) if self._linear else light

    def __call__(self, light: np.ndarray, sigma: float) -> np.ndarray:
        if sigma < 0.3:
            return light
        if self._disk:
            return disk_blur(light, sigma)
        return cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _draw_sigma(config: SceneConfig, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(config.min_sigma), np.log(config.max_sigma))))


def _draw_sigmas(config: SceneConfig, rng: np.random.Generator) -> tuple[float, float]:
    """Draw sigma of background and object; mostly one of the two is in focus."""
    blurred, other = _draw_sigma(config, rng), _draw_sigma(config, rng)
    draw = rng.random()
    if draw < 0.5:
        return blurred, 0.0
    if draw < 0.75:
        return 0.0, blurred
    return blurred, other


def _draw_background(
    back: np.ndarray, far: float, lens: _Lens, config: SceneConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    light = lens.light(back)
    if rng.random() < 0.6:
        return lens(light, far), np.full(back.shape, far, np.float32)
    side = back.shape[0]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    slope = np.cos(angle) * x + np.sin(angle) * y
    sigma = np.abs(slope - rng.uniform(-1.2, 1.2)) * max(far, 1.0)
    steps = np.array([0.0, 0.5, 0.8, 1.3, 2.0, 3.2, 5.0, 8.0, 12.0]) * (config.max_sigma / 12)
    sigma = np.minimum(sigma, steps[-1]).astype(np.float32)
    position = np.interp(sigma, steps, np.arange(len(steps))).astype(np.float32)
    canvas = np.zeros_like(light)
    for index, step in enumerate(steps):
        weight = np.clip(1 - np.abs(position - index), 0, 1)
        if weight.any():
            canvas += weight * lens(light, step)
    return canvas, sigma


def _draw_silhouette(regions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a mask: a smooth blob, or the photograph's own regions that a blob mostly holds."""
    mask = random_blob(regions.shape, rng, share=rng.uniform(0.1, 0.5))
    if rng.random() < 0.5:
        return mask
    _, index = np.unique(regions, return_inverse=True)
    index = index.reshape(regions.shape)
    held = np.bincount(index[mask], minlength=index.max() + 1) / np.bincount(index.ravel())
    grown = (held > 0.5)[index]
    return grown if 0.03 < grown.mean() < 0.8 else mask


def _shade_partly(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leave nothing but soft shading outside a random part: what it says of blur is at its outline alone."""
    shade = cv2.GaussianBlur(grey, (0, 0), np.exp(rng.uniform(np.log(8), np.log(40))))
    kept: np.ndarray = random_blob(grey.shape, rng, share=rng.uniform(0.1, 0.8)).astype(np.float32)
    kept = cv2.GaussianBlur(kept, (0, 0), rng.uniform(2, 12))
    return np.clip(shade + kept * (grey - shade), 0, 1)


def _draw_crop(photograph: SegmentedPhotograph, frame: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a crop at a random scale, at times a good deal sharper than the photograph."""
    grey, regions = photograph.grey, photograph.regions
    height, width = grey.shape
    least = max(frame / min(height, width), 0.4)
    scale = rng.uniform(min(least, 1.0), 1.0) if least < 1 else least
    side = min(int(frame / scale), height, width)
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    cut = (slice(top, top + side), slice(left, left + side))
    grey = cv2.resize(grey[cut], (frame, frame), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    regions = cv2.resize(regions[cut], (frame, frame), interpolation=cv2.INTER_NEAREST)
    if rng.random() < 0.5:
        grey, regions = grey[:, ::-1], regions[:, ::-1]
    return np.ascontiguousarray(np.clip(grey, 0, 1)), regions
