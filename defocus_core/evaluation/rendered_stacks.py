"""What a fused picture of a rendered stack gets wrong."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.blur.focus_stacks import NEARLY_SHARPEST, RenderedStack

VISIBLE = 4 / 255  # difference of grey levels from which a pixel looks wrong


def visible_errors(fused: np.ndarray, stack: RenderedStack) -> np.ndarray:
    """Return the pixels that look wrong.

    A pixel looks wrong where it differs visibly from the truth, and from all that a shot which is sharp there has
    within a pixel.

    Parameters
    ----------
    fused : (H, W, 3) uint8

    Returns
    -------
    (H, W) bool
    """
    value = fused.astype(np.float32) / 255
    wrong = np.abs(value - stack.truth).max(2) > VISIBLE
    acceptable = stack.sigmas <= stack.sigmas.min(0) + NEARLY_SHARPEST
    window = np.ones((3, 3), np.uint8)
    for shot, sharp in zip(stack.shots, acceptable, strict=True):
        low, high = (change(shot, window).astype(np.float32) / 255 for change in (cv2.erode, cv2.dilate))
        within = ((value >= low - VISIBLE) & (value <= high + VISIBLE)).all(2)
        wrong &= ~(within & sharp)
    return wrong


def sharpest_shots(stack: RenderedStack) -> np.ndarray:
    """Return the pixels of the shot that is sharpest at each, (H, W, 3) uint8: none looks wrong, but veils stay."""
    return _pick(stack, stack.sigmas)


def nearest_shots(stack: RenderedStack) -> np.ndarray:
    """Return the pixels of the shot nearest to the truth at each, (H, W, 3) uint8: no choice has a larger PSNR."""
    errors = [np.square(shot / np.float32(255) - stack.truth).sum(2) for shot in stack.shots]
    return _pick(stack, np.stack(errors))


def _pick(stack: RenderedStack, costs: np.ndarray) -> np.ndarray:
    """Return the pixels of the shot of least cost; `costs` is (shots, H, W)."""
    return np.take_along_axis(np.stack(stack.shots), costs.argmin(0)[None, :, :, None], 0)[0]
