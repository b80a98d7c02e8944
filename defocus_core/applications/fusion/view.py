"""Small copies of shots, by which they are registered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from defocus_core.io.arrays import shrunken_size
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_grey

MAX_VIEW_SIDE = 1200  # longer side in pixels
BRIGHT_QUANTILE, BRIGHT_LIGHT = 0.999, 0.5  # light to which that quantile of a darker stack is brought


@dataclass(frozen=True)
class View:
    """A copy of a shot, small enough to be registered quickly.

    Parameters
    ----------
    pixels : (h, w) or (h, w, 3) float32 in [0, 1]
    grey : (h, w) float32, of linear light: there, blur moves no edge
    shape : height and width of the shot
    shown : (h, w) bool, where the shot shows something; None is everywhere
    """

    pixels: np.ndarray
    grey: np.ndarray
    shape: tuple[int, int]
    shown: np.ndarray | None = None

    @property
    def to_shot(self) -> np.ndarray:
        """The map from a pixel (column, row) of the copy to that of the shot, (3, 3)."""
        across, down = self.shape[1] / self.grey.shape[1], self.shape[0] / self.grey.shape[0]
        return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])

    @property
    def gain(self) -> float:
        """The gain of light that makes a dark shot, as 12 bit in a 16-bit file, as bright as others; at least 1."""
        bright = float(np.quantile(self.grey, BRIGHT_QUANTILE))
        return max(1.0, BRIGHT_LIGHT / bright) if bright > 0 else 1.0

    def brightened(self, gain: float) -> View:
        """Return the copy with so many times the light, up to white."""
        if gain == 1:
            return self
        light = np.minimum(srgb_to_linear(self.pixels) * np.float32(gain), 1)
        return replace(self, pixels=linear_to_srgb(light), grey=to_grey(light))


def make_view(image: np.ndarray, shown: np.ndarray | None = None) -> View:
    """Shrink a shot to a longer side of 1200 pixels.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    shown : (H, W) bool, where it shows something; None is everywhere
    """
    shape = image.shape[:2]
    factor = max(shape) / MAX_VIEW_SIDE
    if factor > 1:
        size = shrunken_size(shape, factor)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        shown = None if shown is None else cv2.resize(shown.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    pixels = as_float(image)
    return View(pixels, to_grey(srgb_to_linear(pixels)), (shape[0], shape[1]), shown)
