"""In-focus probability of each pixel, by its blur, the photograph's own blur, and what tells of it."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import special
from skimage import filters

from defocus_core.blur.sigma_scale import MIN_SIGMA, probability_below
from defocus_core.io.arrays import check_map_fits
from defocus_core.maps.surroundings import EVIDENT_CERTAINTY, follow_surroundings

NOTICEABLE_BOUNDS, LOGISTIC_SLOPE, MAX_CORE_RATIO = (0.5, 2.0), 24.0, 1.25
MAX_GAP = 8  # pixels between the parts of one region in focus
THRESHOLD_FACTOR = 0.95  # of the blur that divides a photograph best, so that 0.5 is the best threshold of the chance
SHARPEST_FRACTION = 0.01  # share of a photograph that stands for its sharpest
ALL_ALIKE_SIGMA = 1.2  # pixels of sigma below which a photograph of one blur all over is in focus
DIVIDING_RATIO, DIVIDING_WIDTH = 2.05, 0.02  # of the sigmas of the two parts of a photograph that is divided
TYPICAL_CERTAINTY = 0.31  # of the more blurred part, for which that ratio is meant
RATIO_PER_CERTAINTY = 1.5  # by how much the logarithm of the ratio may fall with the certainty of that part
SHARP_SIGMA, NEARLY_SHARP_SIGMA = 0.35, 0.45  # what maps tell of photographs without blur, pixels


def in_focus(
    sigma: np.ndarray,
    *,
    certainty: np.ndarray | None = None,
    bounds: tuple[float, float] = NOTICEABLE_BOUNDS,
    slope: float = LOGISTIC_SLOPE,
    core: float = MAX_CORE_RATIO,
) -> np.ndarray:
    """Return the in-focus probability of each pixel.

    The probability is a logistic of log sigma, 1/2 at the just noticeable blur. It is 0 in a region below that blur in
    which no pixel comes near the sharpest of the photograph; parts that lie within eight pixels are one region. Pixels
    without evidence, such as those of a plain field, follow their surroundings; a photograph without any, as of a lens
    cap, is 1/2 all over.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels
    certainty : (H, W) float32 in [0, 1], of `estimate_with_certainty`; None: all pixels have evidence
    bounds : of `just_noticeable_blur`
    slope : of the logistic in log sigma
    core : largest ratio of a region's least sigma to that of the sharpest hundredth of the photograph

    Returns
    -------
    (H, W) float32 in [0, 1]

    Raises
    ------
    ValueError
        If `certainty` does not fit `sigma`, or `sigma` has no pixel or numbers that are not finite.

    Notes
    -----
    The constants were chosen on CUHK 0201-0300, as they are and at half the size, and on photographs of EyeCrowd.

    Examples
    --------
    >>> import numpy as np
    >>> from defocus_core import in_focus
    >>> print(in_focus(np.array([[0.3, 0.3, 4.0, 4.0]], np.float32)).round(2))
    [[1. 1. 0. 0.]]
    """
    sigma = np.asarray(sigma, np.float32)
    check_map_fits(sigma, sigma)
    if certainty is not None and not certainty.any():
        check_map_fits(certainty, sigma)
        return np.full(sigma.shape, 0.5, np.float32)
    noticeable = just_noticeable_blur(sigma, certainty=certainty, bounds=bounds)
    sharpest = max(float(np.quantile(sigma, SHARPEST_FRACTION)), float(MIN_SIGMA))
    chance = probability_below(sigma, noticeable, slope=slope) * _regions_with_core(
        sigma, noticeable, min(noticeable, core * sharpest)
    )
    return chance if certainty is None else follow_surroundings(chance, certainty)


def just_noticeable_blur(
    sigma: np.ndarray, *, certainty: np.ndarray | None = None, bounds: tuple[float, float] = NOTICEABLE_BOUNDS
) -> float:
    """Return the sigma above which a photograph's own surfaces look out of focus.

    A surface in focus in a soft or enlarged photograph would be out of focus in a crisp one. So the threshold is
    slightly below the sigma that best divides the photograph in two. A photograph whose two parts differ by less than
    about a factor of two, or less where the more blurred one is certain, is of one blur all over, and is judged by that
    alone. The middle of the photograph, where the subject mostly is, counts more.

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels
    certainty : (H, W) float32 in [0, 1], see `in_focus`; pixels without evidence have no vote
    bounds : of the dividing sigma, in pixels; calibrated on CUHK 0201-0300

    Returns
    -------
    sigma in pixels

    References
    ----------
    Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 1979, on log sigma.
    """
    if certainty is None or not certainty.any():
        certainty = np.full(sigma.shape, TYPICAL_CERTAINTY, np.float32)
    check_map_fits(certainty, sigma)
    centre = _centre_weight(sigma.shape)
    threshold = _dividing_sigma(sigma, centre * np.minimum(certainty / EVIDENT_CERTAINTY, 1))
    divided = special.expit(_excess_of_parts(sigma, certainty, threshold, centre) / DIVIDING_WIDTH)
    dividing = np.clip(THRESHOLD_FACTOR * threshold, *bounds)
    return float(np.exp(divided * np.log(dividing) + (1 - divided) * np.log(ALL_ALIKE_SIGMA)))


def _dividing_sigma(sigma: np.ndarray, votes: np.ndarray) -> float:
    """Return the sigma that best divides a photograph in two."""
    steps = 48  # to a unit of log sigma: 256 codes are 0.1 to 20 pixels
    codes = np.clip(steps * np.log(np.maximum(sigma, MIN_SIGMA) / MIN_SIGMA), 0, 255).astype(np.uint8)
    counts = np.bincount(codes.ravel(), votes.ravel(), 256)
    middle = (_otsu_threshold(counts) + 254 - _otsu_threshold(counts[::-1])) / 2
    return float(MIN_SIGMA * np.exp((middle + 1) / steps))


def _excess_of_parts(sigma: np.ndarray, certainty: np.ndarray, threshold: float, centre: np.ndarray) -> float:
    """Return the log ratio of the sigmas above and below a threshold, less that from which a photograph is divided."""
    above, weight = sigma > threshold, centre * certainty
    if not (weight[above].any() and weight[~above].any()):
        return -np.inf
    logs = np.log(np.maximum(sigma, MIN_SIGMA))
    blurred, sharp = (np.average(logs[part], weights=weight[part]) for part in (above, ~above))
    sure = np.average(certainty[above], weights=centre[above])
    return float(blurred - sharp - np.log(DIVIDING_RATIO) + RATIO_PER_CERTAINTY * (sure - TYPICAL_CERTAINTY))


def _regions_with_core(sigma: np.ndarray, noticeable: float, reached: float) -> np.ndarray:
    """Return 0 in regions below the noticeable blur whose least sigma is above `reached`, else 1.

    A region may have gaps, as an antenna has in a map.
    """
    below = sigma < noticeable
    count, region = cv2.connectedComponents(cv2.dilate(below.astype(np.uint8), np.ones((MAX_GAP + 1,) * 2, np.uint8)))
    kept = np.zeros(count, bool)
    kept[region[sigma <= reached]] = True
    return kept[region] | ~below


def _centre_weight(shape: tuple[int, int]) -> np.ndarray:
    """Return the weight of each pixel: Gaussian, of standard deviation a third of each side."""
    rows, columns = (np.exp(-((1.5 * np.linspace(-1, 1, n, dtype=np.float32)) ** 2) / 2) for n in shape)
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
