"""Training scenes: layers of sharp photographs, blurred with true occlusion, sigma known everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import h5py
import numpy as np

from defocus_core.blur.kernels import MIN_DISK_SIGMA, aperture_kernel, disk_blur, gaussian_blur
from defocus_core.blur.rendering import random_blob
from defocus_core.io import atomic
from defocus_core.training.camera import develop
from defocus_core.training.config import SceneConfig
from defocus_core.training.scene_photographs import (
    SegmentedPhotograph,
    draw_crop,
    draw_person,
    draw_silhouette,
)

LABEL_STRIDE = 4  # pixels of the image to one label
MARGIN = 32  # pixels around a scene that blur reaches in from


def frame_side(config: SceneConfig) -> int:
    """Return the side in pixels of what a scene is drawn on, which photographs need at least."""
    return config.size + 2 * MARGIN


def draw_scene(
    photographs: Sequence[SegmentedPhotograph], config: SceneConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one scene: a background, flat or receding, and up to two objects before it.

    Returns
    -------
    (size, size) uint8 image and (size / 4, size / 4) float32 sigma in pixels of the visible surface
    """
    lens = _draw_lens(config, rng)
    frame = frame_side(config)
    back = draw_crop(_pick(photographs, rng), frame, rng)
    if rng.random() < config.whole_fraction:
        far = 0.0 if rng.random() < 0.5 else _draw_sigma(config, rng)
        canvas, sigma = (
            lens(lens.light(back.grey), far),
            np.full(back.grey.shape, np.hypot(far, back.sigma), np.float32),
        )
    else:
        canvas, sigma = _draw_layers(photographs, back, lens, config, rng)
    base = rng.uniform(0, config.max_base_sigma) if config.max_base_sigma and rng.random() < 0.5 else 0.0
    if base:
        canvas, sigma = gaussian_blur(canvas, base), np.hypot(sigma, np.float32(base))
    inside = slice(MARGIN, MARGIN + config.size)
    image = develop(lens.developed(canvas[inside, inside]), config.camera, rng)
    label = np.minimum(sigma[inside, inside], np.float32(config.max_sigma))
    label = label[LABEL_STRIDE // 2 :: LABEL_STRIDE, LABEL_STRIDE // 2 :: LABEL_STRIDE]
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8), label


def split_seed(seed: int, split: str) -> int:
    """Return a seed of its own for each split."""
    return 10 * seed + ("train", "validation", "test").index(split)


def write_scenes(
    photographs: Sequence[SegmentedPhotograph], path: str | Path, *, config: SceneConfig, count: int, seed: int
) -> None:
    """Write scenes to HDF5: `images` (count, size, size) uint8, `sigma` float16 at every fourth pixel.

    Parameters
    ----------
    photographs : sharp all over, `frame_side` pixels a side or more

    Raises
    ------
    ValueError
        If there are none, or people are asked for and none of them shows any.
    """
    if not photographs:
        raise ValueError(
            f"no photograph is sharp all over and has {frame_side(config)} pixels a side; "
            "add some, or lower layered_scenes.min_sharp_fraction or layered_scenes.scene.size"
        )
    if config.people_fraction and all(photograph.people is None for photograph in photographs):
        raise ValueError(
            f"layered_scenes.scene.people_fraction is {config.people_fraction:g}, and none of these photographs has a "
            "silhouette of people; that of FOLDER/NAME.jpg is FOLDER/NAME.png in layered_scenes.silhouettes"
        )
    cells = config.size // LABEL_STRIDE
    with atomic.replacing(path) as part, h5py.File(part, "w") as file:
        images = file.create_dataset(
            "images", (count, config.size, config.size), np.uint8, chunks=(1, config.size, config.size)
        )
        sigma = file.create_dataset("sigma", (count, cells, cells), np.float16, chunks=(1, cells, cells))
        for index in range(count):
            rng = np.random.default_rng([seed, index])
            images[index], sigma[index] = draw_scene(photographs, config, rng)


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
    """Blur by one aperture, in linear light or in the picture's own tone curve."""

    def __init__(self, *, linear: bool, disk: bool, shape: Callable[[float], np.ndarray] | None):
        self._linear, self._disk, self._shape = linear, disk, shape

    def light(self, image: np.ndarray) -> np.ndarray:
        return image**2.2 if self._linear else image

    def developed(self, light: np.ndarray) -> np.ndarray:
        return np.clip(light, 0, 1) ** (1 / 2.2) if self._linear else light

    def __call__(self, light: np.ndarray, sigma: float) -> np.ndarray:
        if sigma < 0.3:
            return light
        if self._shape and sigma >= MIN_DISK_SIGMA:
            return cv2.filter2D(light, -1, self._shape(sigma), borderType=cv2.BORDER_REFLECT)
        if self._disk:
            return disk_blur(light, sigma)
        return cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _draw_lens(config: SceneConfig, rng: np.random.Generator) -> _Lens:
    disk, linear = rng.random() < config.disk_fraction, rng.random() < config.linear_light_fraction
    if not disk or rng.random() >= config.shaped_fraction:
        return _Lens(linear=linear, disk=disk, shape=None)
    cut = float(rng.choice([0, rng.uniform(0.1, 0.5)]))
    blades = int(rng.choice([5, 6, 7, 8, 9])) if not cut or rng.random() < 0.5 else 0
    shape = functools.partial(aperture_kernel, blades=blades, turn=rng.uniform(0, 2 * np.pi), cut=cut)
    return _Lens(linear=linear, disk=disk, shape=shape)


def _pick(photographs: Sequence[SegmentedPhotograph], rng: np.random.Generator) -> SegmentedPhotograph:
    return photographs[int(rng.integers(len(photographs)))]


def _draw_layers(
    photographs: Sequence[SegmentedPhotograph],
    back: SegmentedPhotograph,
    lens: _Lens,
    config: SceneConfig,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a background and up to two objects before it; return their light and the sigma of what is seen."""
    far, near = _draw_sigmas(config, rng)
    canvas, sigma = _draw_background(_smoothed_background(back, config, rng), far, lens, config, rng)
    sigma = np.hypot(sigma, np.float32(back.sigma))
    for _ in range(rng.choice([0, 1, 2], p=[0.2, 0.6, 0.2])):
        front, mask = _draw_object(photographs, back, config, rng)
        coverage = mask.astype(np.float32)
        colour, coverage = lens(lens.light(front.grey) * coverage, near), lens(coverage, near)
        canvas = colour + (1 - coverage) * canvas
        sigma = np.where(mask, np.float32(np.hypot(near, front.sigma)), sigma)
        near = _draw_sigma(config, rng)
    return canvas, sigma


def _draw_object(
    photographs: Sequence[SegmentedPhotograph],
    back: SegmentedPhotograph,
    config: SceneConfig,
    rng: np.random.Generator,
) -> tuple[SegmentedPhotograph, np.ndarray]:
    """Draw what an object looks like, and its silhouette."""
    frame = back.grey.shape[0]
    with_people = [photograph for photograph in photographs if photograph.people is not None]
    if config.people_fraction and with_people and rng.random() < config.people_fraction:
        return draw_person(_pick(with_people, rng), frame, rng)
    mask = draw_silhouette(back.regions, rng)
    front = back if rng.random() < 0.5 else draw_crop(_pick(photographs, rng), frame, rng)
    if config.shaded_fraction and rng.random() < config.shaded_fraction:
        front = replace(front, grey=_shade_partly(front.grey, rng))
    return front, mask


def _smoothed_background(back: SegmentedPhotograph, config: SceneConfig, rng: np.random.Generator) -> np.ndarray:
    if config.plain_fraction and rng.random() < config.plain_fraction:
        return np.full_like(back.grey, rng.uniform(0.02, 1))
    if config.shaded_background_fraction and rng.random() < config.shaded_background_fraction:
        return _shade_partly(back.grey, rng)
    return back.grey


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


def _shade_partly(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leave nothing but soft shading outside a random part: what it says of blur is at its outline alone."""
    shade = cv2.GaussianBlur(grey, (0, 0), np.exp(rng.uniform(np.log(8), np.log(40))))
    kept: np.ndarray = random_blob(grey.shape, rng, share=rng.uniform(0.1, 0.8)).astype(np.float32)
    kept = cv2.GaussianBlur(kept, (0, 0), rng.uniform(2, 12))
    return np.clip(shade + kept * (grey - shade), 0, 1)
