"""Tell detail from noise, which a network takes for the sharpest of textures."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.io.arrays import strips

SMOOTHING, WINDOW = 1.5, 15  # pixels: sigma that leaves little of white noise, side in which detail is looked for
POOL = 33  # pixels, side of the windows over which evidence is averaged, twice
MIN_RATIO = 2.5  # of the standard deviation that is left to that of noise alone
MIN_DETAIL = 1e-3  # standard deviation, grey levels of 0..1
REACH = 16  # rows around a strip that count in it
MAX_NOISE_PIXELS = 4e6  # by which the noise of an image is measured


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
    left = float(np.sqrt(noise_variance(grey))) / (2 * np.sqrt(np.pi) * SMOOTHING)
    least, excess = max(MIN_RATIO * left, MIN_DETAIL), np.empty_like(grey)
    for rows in strips(len(grey)):
        above = min(rows.start, REACH)
        smooth = cv2.GaussianBlur(grey[rows.start - above : rows.stop + REACH], (0, 0), SMOOTHING)
        mean, square = (cv2.boxFilter(values, -1, (WINDOW, WINDOW)) for values in (smooth, smooth**2))
        deviation = np.sqrt(np.maximum(square - mean**2, 0))[above : above + len(excess[rows])]
        np.clip(deviation / least - 1, 0, 1, out=excess[rows])
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
    every = max(1, round(grey.size / MAX_NOISE_PIXELS))
    medians = [
        np.median(blocks, axis=1)
        for top in range(0, max(len(grey) - block, 1), every * block)
        for blocks in [_blocks(_diagonal(grey[top : top + block + 1]), block)]
    ]
    return float((1.4826 * np.quantile(np.concatenate(medians), 0.25)) ** 2)


def _diagonal(grey: np.ndarray) -> np.ndarray:
    """Return the size of the finest diagonal wavelets, (H - 1, W - 1)."""
    return np.abs(grey[:-1, :-1] - grey[1:, :-1] - grey[:-1, 1:] + grey[1:, 1:]) / 2


def _blocks(row: np.ndarray, block: int) -> np.ndarray:
    """Cut a row of blocks apart, (blocks, pixels)."""
    columns = max(row.shape[1] // block, 1)
    whole = row[:, : columns * block]
    return whole.reshape(len(row), columns, -1).swapaxes(0, 1).reshape(columns, -1)
