"""In-focus probability of each pixel, relative to the photograph's own blur."""

from __future__ import annotations

import cv2
import numpy as np
from skimage import filters

from defocus_core.blur.sigma_scale import MIN_SIGMA, probability_below

NOTICEABLE_BOUNDS, LOGISTIC_SLOPE, MAX_CORE_RATIO = (0.5, 2.0), 24.0, 1.25
THRESHOLD_FACTOR = 0.95  # of the blur that divides a photograph best, so that 0.5 is the best threshold of the chance
SHARP_SIGMA, NEARLY_SHARP_SIGMA = 0.35, 0.45  # what maps tell of photographs without blur, pixels
SHARPEST_FRACTION = 0.01  # share of a photograph that stands for its sharpest


def in_focus(
    sigma: np.ndarray,
    *,
    bounds: tuple[float, float] = NOTICEABLE_BOUNDS,
    slope: float = LOGISTIC_SLOPE,
    core: float = MAX_CORE_RATIO,
) -> np.ndarray:
    """Return the in-focus probability of each pixel, relative to the photograph's own blur.

    The probability is a logistic of log sigma, 1/2 at the just noticeable blur. It is 0 in a connected region below
    that blur in which no pixel comes near the sharpest of the photograph.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels
    bounds : of `just_noticeable_blur`
    slope : of the logistic in log sigma
    core : largest ratio of a region's least sigma to that of the sharpest hundredth of the photograph

    Returns
    -------
    (H, W) float32 in [0, 1]

    Notes
    -----
    The constants were chosen on CUHK 0201-0300. The core removes nothing from photographs that are sharp all over.

    Examples
    --------
    >>> import numpy as np
    >>> from defocus_core import in_focus
    >>> print(in_focus(np.array([[0.3, 0.3, 4.0, 4.0]], np.float32)).round(2))
    [[1. 1. 0. 0.]]
    """
    noticeable = just_noticeable_blur(sigma, bounds=bounds)
    reached = min(noticeable, core * max(float(np.quantile(sigma, SHARPEST_FRACTION)), float(MIN_SIGMA)))
    count, region = cv2.connectedComponents((sigma < noticeable).astype(np.uint8))
    kept = np.zeros(count, bool)
    kept[0] = True  # what is above the noticeable blur
    kept[region[sigma <= reached]] = True
    return probability_below(sigma, noticeable, slope=slope) * kept[region]


def just_noticeable_blur(sigma: np.ndarray, *, bounds: tuple[float, float] = NOTICEABLE_BOUNDS) -> float:
    """Return the sigma above which a photograph's own surfaces look out of focus.

    A surface in focus in a soft or enlarged photograph would be out of focus in a crisp one. So the threshold is
    slightly below the sigma that best divides the photograph in two. The bounds keep a photograph that is sharp or
    blurred all over in one piece. The middle of the photograph, where the subject mostly is, counts more.

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
    codes = np.clip(steps * np.log(np.maximum(sigma, MIN_SIGMA) / MIN_SIGMA), 0, 255).astype(np.uint8)
    counts = np.bincount(codes.ravel(), _centre_weight(sigma.shape).ravel(), 256)
    middle = (_otsu_threshold(counts) + 254 - _otsu_threshold(counts[::-1])) / 2
    return float(np.clip(THRESHOLD_FACTOR * MIN_SIGMA * np.exp((middle + 1) / steps), *bounds))


def _centre_weight(shape: tuple[int, int]) -> np.ndarray:
    """Return the weight of each pixel: Gaussian, of standard deviation a third of each side."""
    rows, columns = (np.exp(-((1.5 * np.linspace(-1, 1, n)) ** 2) / 2) for n in shape)
    return np.outer(rows, columns)


def _otsu_threshold(counts: np.ndarray) -> int:
    """Return the least of the thresholds that divide codes best: all those in an empty gap are alike."""
    codes = np.flatnonzero(counts)
    if len(codes) == 1:
        return int(codes[0])
    codes = np.arange(codes[0], codes[-1] + 1)
    return int(filters.threshold_otsu(hist=(counts[codes], codes)))


def is_all_in_focus(sigma: np.ndarray, *, min_fraction: float, max_sigma: float = 1.0) -> bool:
    """Tell whether a photograph is in focus nearly all over.

    Unlike a measure of detail, a map keeps smooth surfaces that are in focus.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels
    min_fraction : least fraction of pixels in focus
    max_sigma : sigma below which a pixel counts as in focus, pixels
    """
    return bool((sigma < max_sigma).mean() >= min_fraction)


def own_blur(sigma: np.ndarray) -> float:
    """Return the blur that a photograph sharp all over has of its own, as of a soft lens, in pixels.

    It is 0 where most of the photograph looks like a sharp one, whose detail a map tells as up to .45 pixels.
    """
    soft = float(np.quantile(sigma, 0.25))
    return float(np.sqrt(soft**2 - SHARP_SIGMA**2)) if soft > NEARLY_SHARP_SIGMA else 0.0
