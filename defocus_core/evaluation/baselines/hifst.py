"""Sorted high-frequency coefficients of the gradient at several scales (HiFST)."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.fft import dct
from skimage.filters import rank

SIDES = (7, 15, 31, 63)  # of the patches, pixels
LAYERS = sum(SIDES) + 1


def hifst(grey: np.ndarray, *, step: int = 4) -> np.ndarray:
    """Return the negative sharpness by sorted transform coefficients of the gradient.

    Around each pixel, patches of the gradient's magnitude at four scales go through the DCT; the
    magnitudes of their high frequencies are sorted together, and the smallest make the layers of that
    pixel. Each layer is scaled to [0, 1] over the image; the largest, times the local entropy of these, is
    the sharpness, which the domain transform smooths along edges.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    step : pixels between patches; 1 is the authors' and takes about `step ** 2` times as long

    Returns
    -------
    (H, W) float32, at most 0

    References
    ----------
    Golestaneh & Karam, CVPR 2017, equations 2 to 11; Gastal & Oliveira, TOG 2011 (the domain transform).
    """
    smooth = np.rint(cv2.GaussianBlur(grey * 255, (3, 3), 0.5, borderType=cv2.BORDER_REPLICATE))
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *axis, borderType=cv2.BORDER_REPLICATE) for axis in ((1, 0), (0, 1)))
    sharp = _scaled(_scaled(_layers(np.hypot(across, down), step), axis=(0, 1)).max(2))
    sharp = cv2.resize(sharp, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    sharp = sharp * _entropy(sharp, 7)
    guide = cv2.GaussianBlur(_scaled(smooth), (3, 3), 1)
    return -cv2.ximgproc.dtFilter(guide, sharp, 15, 0.25, mode=cv2.ximgproc.DTF_RF, numIters=3)


def _layers(gradient: np.ndarray, step: int) -> np.ndarray:
    """Return the least of the high-frequency magnitudes of each patch, sorted: (rows, columns, LAYERS)."""
    margin = SIDES[-1] // 2
    padded = cv2.copyMakeBorder(gradient, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    transforms = [dct(np.eye(side, dtype=np.float32), axis=0, norm="ortho") for side in SIDES]
    high = [np.add.outer(np.arange(side), np.arange(side)) >= side - 1 for side in SIDES]
    rows = range(0, gradient.shape[0], step)
    layers = np.empty((len(rows), len(range(0, gradient.shape[1], step)), LAYERS), np.float32)
    for index, row in enumerate(rows):
        found = []
        for side, transform, chosen in zip(SIDES, transforms, high, strict=True):
            inset = margin - side // 2
            strip = padded[row + inset : row + inset + side, inset : padded.shape[1] - inset]
            columns = np.lib.stride_tricks.sliding_window_view(transform @ strip, side, axis=1)[:, ::step]
            coefficients = np.ascontiguousarray(columns).reshape(-1, side) @ transform.T
            coefficients = coefficients.reshape(side, -1, side).transpose(1, 0, 2)
            found.append(np.abs(coefficients[:, chosen]))
        least = np.partition(np.concatenate(found, 1), LAYERS - 1, axis=1)[:, :LAYERS]
        layers[index] = np.sort(least, axis=1)
    return layers


def _scaled(values: np.ndarray, axis: tuple[int, ...] | None = None) -> np.ndarray:
    low, high = values.min(axis, keepdims=True), values.max(axis, keepdims=True)
    return (values - low) / np.maximum(high - low, np.float32(1e-6))


def _entropy(values: np.ndarray, window: int) -> np.ndarray:
    """Return the local entropy, in bits, of values in [0, 1] at 256 levels, mirrored at the border."""
    margin = window // 2
    levels = np.rint(values * 255).astype(np.uint8)
    levels = cv2.copyMakeBorder(levels, margin, margin, margin, margin, cv2.BORDER_REFLECT)
    whole = rank.entropy(levels, np.ones((window, window), np.uint8))
    return whole[margin:-margin, margin:-margin].astype(np.float32)
