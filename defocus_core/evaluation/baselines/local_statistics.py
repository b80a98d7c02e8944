"""Blur measures of a window alone: entropy, standard deviation, variance of the Laplacian."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.filters import rank

WINDOW = 16


def entropy(grey: np.ndarray, *, window: int = WINDOW) -> np.ndarray:
    """Return the negative local entropy of the grey levels.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    window : side of the square window, pixels

    Returns
    -------
    (H, W) float32, bits
    """
    levels = np.rint(grey * 255).astype(np.uint8)
    return -rank.entropy(levels, np.ones((window, window), np.uint8)).astype(np.float32)


def standard_deviation(grey: np.ndarray, *, window: int = WINDOW) -> np.ndarray:
    """Return the negative local standard deviation; see `entropy` for shapes."""
    return -np.sqrt(_variance(grey, window))


def laplacian_variance(grey: np.ndarray, *, window: int = WINDOW) -> np.ndarray:
    """Return the negative log of the local variance of the Laplacian; see `entropy`.

    The logarithm changes no order, so no score at a threshold; it keeps the scaled map readable.
    """
    return -np.log(_variance(cv2.Laplacian(grey, cv2.CV_32F), window) + np.float32(1e-6))


def _variance(values: np.ndarray, window: int) -> np.ndarray:
    mean = cv2.blur(values, (window, window), borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(values * values, (window, window), borderType=cv2.BORDER_REFLECT)
    return np.maximum(square - mean * mean, 0)
