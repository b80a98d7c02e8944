"""Tell detail from noise, which a network takes for the sharpest of textures."""

from __future__ import annotations

import cv2
import numpy as np

SMOOTHING, WINDOW = 1.5, 15  # pixels: sigma that leaves little of white noise, side in which detail is looked for
POOL = 33  # pixels, side of the windows over which evidence is averaged, twice
MIN_RATIO = 2.5  # of the standard deviation that is left to that of noise alone
MIN_DETAIL = 1e-3  # standard deviation, grey levels of 0..1


def has_detail(grey: np.ndarray) -> np.ndarray:
    """Return where an image has more than noise, (H, W) bool.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0.5, 0.05, (64, 64)).astype(np.float32)
    >>> bool(has_detail(noise).any()), bool(has_detail(noise + (np.arange(64) > 32))[32, 32])
    (False, True)
    """
    return _excess(grey) > 0


def detail_evidence(grey: np.ndarray) -> np.ndarray:
    """Return how far the detail of an image goes beyond noise.

    Noise loses nearly all of its variance where it is smoothed, the detail of a scene does not.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]

    Returns
    -------
    (H, W) float32: 0 up to what noise may leave, 1 from twice that on; smoothed, since on a wall whose grey levels
    change by steps of 8 bits it comes and goes
    """
    evidence = _excess(grey)
    return cv2.blur(cv2.blur(evidence, (POOL, POOL)), (POOL, POOL))


def _excess(grey: np.ndarray) -> np.ndarray:
    smooth = cv2.GaussianBlur(grey, (0, 0), SMOOTHING)
    mean, square = (cv2.boxFilter(values, -1, (WINDOW, WINDOW)) for values in (smooth, smooth**2))
    left = float(np.sqrt(noise_variance(grey))) / (2 * np.sqrt(np.pi) * SMOOTHING)
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    excess: np.ndarray = np.clip(deviation / max(MIN_RATIO * left, MIN_DETAIL) - 1, 0, 1)
    return excess


def noise_variance(grey: np.ndarray, *, block: int = 32) -> float:
    """Return the variance of white noise in an image, from the blocks of least detail.

    Parameters
    ----------
    grey : (H, W) float32
    block : side of a block, pixels

    Returns
    -------
    squared grey levels; 0 for a single row or column

    References
    ----------
    Donoho & Johnstone, Biometrika 1994: median absolute value of the finest diagonal wavelets.
    """
    if min(grey.shape) < 2:
        return 0.0
    diagonal = np.abs(grey[:-1, :-1] - grey[1:, :-1] - grey[:-1, 1:] + grey[1:, 1:]) / 2
    rows, columns = (max(length // block, 1) for length in diagonal.shape)
    whole = diagonal[: rows * block, : columns * block]
    blocks = whole.reshape(rows, -1, columns, whole.shape[1] // columns).swapaxes(1, 2)
    medians = np.median(blocks.reshape(rows * columns, -1), axis=1)
    return float((1.4826 * np.quantile(medians, 0.25)) ** 2)
