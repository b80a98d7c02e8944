"""A photograph in memory: its pixels and what its file says of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import imagecodecs
import numpy as np

from defocus_core.io.arrays import fill_nearest

_UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@dataclass(frozen=True)
class Photograph:
    """Pixels, and what the file says of them.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) RGB array, uint8, uint16 or float32 in [0, 1]
    alpha : (H, W) of the same dtype, 0 where the photograph shows nothing; None where it has no alpha channel
    profile : ICC profile of the pixels
    pixel_size : micrometres from one pixel to the next, where a microscope noted it
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    pixel_size: float | None = None

    def turned(self, orientation: int) -> Photograph:
        """Return the photograph upright, given its EXIF orientation."""
        turn = _UPRIGHT.get(orientation, lambda a: a)
        alpha = None if self.alpha is None else np.ascontiguousarray(turn(self.alpha))
        return replace(self, pixels=np.ascontiguousarray(turn(self.pixels)), alpha=alpha)

    @functools.cached_property
    def empty(self) -> np.ndarray | None:
        """Where the photograph shows nothing, (H, W) bool; None where it shows something everywhere."""
        empty = None if self.alpha is None else self.alpha == 0
        return empty if empty is not None and empty.any() else None

    def for_measuring(self) -> np.ndarray:
        """Return the pixels in which blur is measured: in sRGB, and `filled`."""
        return to_srgb(self.filled, self.profile)

    @functools.cached_property
    def filled(self) -> np.ndarray:
        """The pixels, the nearest ones where there are none, so that no edge is where alpha ends."""
        if self.empty is None or self.empty.all():
            return self.pixels
        return fill_nearest(self.pixels, ~self.empty)


def to_srgb(pixels: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Return pixels in sRGB; themselves where their profile is sRGB to a level of 255, damaged or of other channels.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) array, uint8, uint16 or float32
    profile : ICC profile; None is sRGB
    """
    if profile is None:
        return pixels

    def convert(values: np.ndarray) -> np.ndarray:
        space = "gray" if values.ndim == 2 else "rgb"
        target = imagecodecs.cms_profile("srgb")
        found = imagecodecs.cms_transform(values, profile, target, colorspace=space, outcolorspace="rgb")
        return found[..., 1] if values.ndim == 2 else found

    steps = np.linspace(0, 255, 6).astype(np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(6, 36, 3)
    probe = probe if pixels.ndim == 3 else probe[..., 0]
    try:
        is_srgb = np.abs(convert(np.ascontiguousarray(probe)).astype(int) - probe).max() <= 1
        return pixels if is_srgb else convert(np.ascontiguousarray(pixels))
    except Exception:  # LittleCMS has several errors for what is no profile of such pixels
        return pixels
