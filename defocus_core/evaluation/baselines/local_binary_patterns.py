"""Sharpness by local binary patterns."""

from __future__ import annotations

import cv2
import numpy as np


def lbp(grey: np.ndarray, *, window: int = 21, threshold: float = 0.016) -> np.ndarray:
    """Return the negative sharpness by local binary patterns, one scale, without propagation.

    In blurred regions few neighbours differ from the centre by more than the threshold, so the uniform
    patterns of six neighbours and more, and the non-uniform ones, are rare.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    window : side of the window over which patterns are counted, pixels
    threshold : least difference that counts, grey levels of 0..1

    References
    ----------
    Yi & Eramian, TIP 2016, equations 6 to 8 (their 21 pixels is the largest of three scales).
    """
    padded = cv2.copyMakeBorder(grey, 1, 1, 1, 1, cv2.BORDER_REFLECT)
    height, width = grey.shape
    bits = []
    for angle in np.arange(8) * np.pi / 4:
        shift = np.array([[1, 0, -1 - np.cos(angle)], [0, 1, -1 + np.sin(angle)]], np.float32)
        neighbour = cv2.warpAffine(padded, shift, (width, height), flags=cv2.INTER_LINEAR)
        bits.append(neighbour - grey >= threshold)
    count = np.sum(bits, 0)
    changes = np.sum([bits[i] != bits[i - 1] for i in range(8)], 0)
    sharp = ((changes > 2) | (count >= 6)).astype(np.float32)
    return -cv2.blur(sharp, (window, window), borderType=cv2.BORDER_REFLECT)
