"""Blur measures to compare with: grey photograph in, map out, higher is more blurred.

None of them has a unit; a benchmark scales each map between its own extremes.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from skimage.filters import rank

from . import refine

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
    """Return the negative local standard deviation; see :func:`entropy` for shapes."""
    return -np.sqrt(_variance(grey, window))


def laplacian_variance(grey: np.ndarray, *, window: int = WINDOW) -> np.ndarray:
    """Return the negative log of the local variance of the Laplacian; see :func:`entropy`.

    The logarithm changes no order, so no score at a threshold; it keeps the scaled map readable.
    """
    return -np.log(_variance(cv2.Laplacian(grey, cv2.CV_32F), window) + np.float32(1e-6))


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
        shift = np.float32([[1, 0, -1 - np.cos(angle)], [0, 1, -1 + np.sin(angle)]])
        neighbour = cv2.warpAffine(padded, shift, (width, height), flags=cv2.INTER_LINEAR)
        bits.append(neighbour - grey >= threshold)
    count = np.sum(bits, 0)
    changes = np.sum([bits[i] != bits[i - 1] for i in range(8)], 0)
    sharp = ((changes > 2) | (count >= 6)).astype(np.float32)
    return -cv2.blur(sharp, (window, window), borderType=cv2.BORDER_REFLECT)


def edge_ratio(grey: np.ndarray, *, reblur: float = 1.0, radius: int = 48) -> np.ndarray:
    """Return the blur of edges by the ratio of gradients, spread over the image: a sigma in pixels.

    An edge of blur sigma, blurred again by sigma_0, has its gradient divided by
    R = sqrt(sigma^2 + sigma_0^2) / sigma, so sigma = sigma_0 / sqrt(R^2 - 1). The sparse values are
    spread by a guided filter over their local mean; the authors solve a matting Laplacian.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    reblur : sigma_0, pixels
    radius : of the guided filter, pixels

    References
    ----------
    Zhuo & Sim, Pattern Recognition 2011, equations 5 to 8.
    """
    edges = cv2.Canny(np.rint(grey * 255).astype(np.uint8), 40, 100) > 0
    again = cv2.GaussianBlur(grey, (0, 0), reblur)
    ratio = _gradient(grey) / np.maximum(_gradient(again), 1e-6)
    sparse = np.where(edges, reblur / np.sqrt(np.maximum(ratio**2 - 1, 1e-2)), 0).astype(np.float32)
    sparse = np.minimum(sparse, np.float32(8))
    known = edges.astype(np.float32)
    guided = refine.GuidedFilter(grey, radius=radius, eps=0.01)
    usual = np.float32(sparse.sum() / max(known.sum(), 1))  # for places far from every edge
    values = cv2.GaussianBlur(sparse, (0, 0), 8) + np.float32(1e-4) * usual
    weight = cv2.GaussianBlur(known, (0, 0), 8) + np.float32(1e-4)
    return np.clip(guided(values / weight), 0, 8)


def _gradient(grey: np.ndarray) -> np.ndarray:
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1)))
    return np.hypot(across, down)


METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "entropy": entropy,
    "standard_deviation": standard_deviation,
    "laplacian_variance": laplacian_variance,
    "lbp": lbp,
    "edge_ratio": edge_ratio,
}


def _variance(values: np.ndarray, window: int) -> np.ndarray:
    mean = cv2.blur(values, (window, window), borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(values * values, (window, window), borderType=cv2.BORDER_REFLECT)
    return np.maximum(square - mean * mean, 0)
