"""The frame that all shots of a stack share."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

MAX_BLOCKS = 512  # a side, by which the shared frame is looked for


@dataclass(frozen=True)
class Frame:
    """A rectangle of pixels: rows from `top` to before `bottom`, columns from `left` to before `right`."""

    top: int
    bottom: int
    left: int
    right: int

    def crop(self, image: np.ndarray) -> np.ndarray:
        """Return what of an image, (H, W) or (H, W, C), lies in the frame."""
        return np.ascontiguousarray(image[self.top : self.bottom, self.left : self.right])


def whole_frame(shape: tuple[int, int]) -> Frame:
    """Return the frame of a whole image."""
    return Frame(0, shape[0], 0, shape[1])


def largest_frame(shown: np.ndarray) -> Frame:
    """Return the largest rectangle that lies where a mask is true.

    Images with a side of more than 512 pixels are taken in blocks, so that up to a block is lost at each side.

    Parameters
    ----------
    shown : (H, W) bool

    Raises
    ------
    ValueError
        If the mask is false everywhere.
    """
    if shown.all():
        return whole_frame((shown.shape[0], shown.shape[1]))
    block = max(1, -(-max(shown.shape) // MAX_BLOCKS))
    whole = cv2.erode(shown.astype(np.uint8), np.ones((block, block), np.uint8), anchor=(0, 0))
    rows, columns = shown.shape[0] // block, shown.shape[1] // block
    blocks = whole[: rows * block : block, : columns * block : block]
    heights, best = np.zeros(columns, int), (0, 0, 0, 0, 0)
    for row in range(rows):
        heights = (heights + 1) * blocks[row]
        best = max(best, _largest_below(heights, row))
    area, bottom, height, left, right = best
    if not area:
        raise ValueError("the shots share no frame; leave out --crop, or those that moved far")
    return Frame((bottom + 1 - height) * block, (bottom + 1) * block, left * block, right * block)


def _largest_below(heights: np.ndarray, row: int) -> tuple[int, int, int, int, int]:
    """Return area, row, height, left and right of the largest rectangle under a skyline."""
    best, open_bars = (0, row, 0, 0, 0), [(-1, 0)]
    for column, height in enumerate([*heights.tolist(), 0]):
        left = column
        while open_bars[-1][1] > height:
            left, tall = open_bars.pop()
            best = max(best, (tall * (column - left), row, tall, left, column))
        if open_bars[-1][1] < height:
            open_bars.append((left, height))
    return best
