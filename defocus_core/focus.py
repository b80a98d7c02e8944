"""Defocus map -> what is in focus: a probability, against the photograph's own blur."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import special

NOTICEABLE, SLOPE = (0.5, 2.0), 16.0
LEAST = np.float32(0.1)  # pixels of sigma below which the logarithm tells nothing apart


def in_focus(sigma: np.ndarray, *, noticeable: float | None = None, slope: float = SLOPE) -> np.ndarray:
    """Return how likely each pixel is in focus: a logistic of log sigma at the just noticeable blur.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels
    noticeable : sigma, in pixels, that is in focus with probability 0.5; None is that of
        :func:`just_noticeable`
    slope : of the logistic in log sigma; calibrated on CUHK 0201-0300

    Returns
    -------
    (H, W) float32 in [0, 1]
    """
    noticeable = just_noticeable(sigma) if noticeable is None else noticeable
    ratio = np.float32(noticeable) / np.maximum(sigma, np.float32(1e-6))
    return special.expit(np.float32(slope) * np.log(ratio))


def just_noticeable(sigma: np.ndarray, *, bounds: tuple[float, float] = NOTICEABLE) -> float:
    """Return the blur from which a photograph's own surfaces look out of focus.

    What is in focus in a soft or enlarged photograph would be out of focus in a crisp one. So it is the
    sigma that best divides the photograph in two, within bounds: nothing sharper than the lower one is
    ever out of focus, and nothing more blurred than the upper one in focus.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels
    bounds : in pixels; calibrated on CUHK 0201-0300

    Returns
    -------
    sigma in pixels

    References
    ----------
    Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 1979, on log sigma.
    """
    steps = 48  # to a unit of log sigma: 256 codes are 0.1 to 20 pixels
    codes = np.clip(steps * np.log(np.maximum(sigma, LEAST) / LEAST), 0, 255).astype(np.uint8)
    first, last = _otsu(codes), 254 - _otsu(255 - codes)
    return float(np.clip(LEAST * np.exp(((first + last) / 2 + 1) / steps), *bounds))


def _otsu(codes: np.ndarray) -> float:
    """Return the least of the thresholds that divide codes best: all those in an empty gap are alike."""
    return cv2.threshold(codes, 0, 255, cv2.THRESH_OTSU)[0]
