"""Merge the predictions of an image pyramid into one map."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.blur.sigma_scale import MIN_SIGMA, SigmaScale, probability_below

MIN_HALVED_SIGMA = 1.2  # pixels of sigma that half the size still tells from sharp
HALVED_WEIGHT = 0.7  # share of the certainty of half the size that counts beside full size
SURE_CERTAINTY = 0.4  # certainty that a frame without any texture hardly has anywhere
SHARPEST_QUANTILE = 0.02  # of sigma where a network is sure, which says what a photograph holds at its size
MIN_SHARPEST, MAX_SHARPEST = 0.4, 0.6  # pixels of it, from which half the size holds more and more, and then all
OVERSAMPLED_WEIGHT = 0.6  # share of the certainty of a size that counts beside a half which holds all
HALVING_VARIANCE = np.float32(0.25)  # variance, in squared pixels, of the mean over 2x2 pixels


def merge_levels(
    levels: list[tuple[np.ndarray, np.ndarray]],
    *,
    max_sigma: float,
    scale: SigmaScale = SigmaScale(),
    judge_oversampling: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Merge the predictions of all pyramid levels into one map.

    In a frame without any texture every copy says the same few pixels, which the smallest would turn into
    a large blur of the whole: there full size alone counts. In a smooth sky above a sharp horizon a small
    copy alone finds blur, near the end of its levels; a large blur the copy twice its size would see too.
    So it is not believed where that finds hardly any. A photograph without anything as sharp as its pixels
    allow, such as an enlarged one, holds as much at half the size, where a blur is told apart better.

    Parameters
    ----------
    levels : as of `predict`, finest first, each of an image half the size of the one before, rounded down; overwritten
    max_sigma : level of the network, in pixels of sigma; beyond it half the size decides
    scale : of the values
    judge_oversampling : let half the size count the more, the less sharp what is sharpest is

    Returns
    -------
    values and certainty, as of `predict`
    """
    if not any(_has_evidence(*level, max_sigma=max_sigma, scale=scale) for level in levels):
        return levels[0]
    for finer, coarser in zip(levels[-2::-1], levels[:0:-1], strict=True):
        np.multiply(coarser[1], 1 - _implausibility(coarser[0], finer[0], max_sigma, scale), out=coarser[1])
    values, certainty = levels[-1]
    for finer, sure in reversed(levels[:-1]):
        excess = oversampling(finer, sure, scale=scale) if judge_oversampling else 0.0
        upscaled = upscale_level(values, certainty, max_sigma=max_sigma, oversampled=excess, scale=scale)
        coarse, weight, beyond = (enlarge(part, 2, finer.shape) for part in upscaled)
        share = 1 - (1 - OVERSAMPLED_WEIGHT) * excess
        np.multiply(sure, share * (1 - beyond), out=sure)
        values, certainty = merge(finer, sure, coarse, weight)
    return values, certainty


def enlarge(grid: np.ndarray, factor: int, shape: tuple[int, int]) -> np.ndarray:
    """Enlarge an (h, w) grid by a whole factor, its upper left corner kept, and cut or continue it to a shape."""
    large = cv2.resize(grid, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    missing = [max(wanted - length, 0) for wanted, length in zip(shape, large.shape, strict=True)]
    if any(missing):
        large = cv2.copyMakeBorder(large, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(large[: shape[0], : shape[1]])


def _halve(grid: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Shrink a grid to half, of a shape that is half of it or a cell more or less."""
    rows, columns = (2 * length for length in shape)
    missing = [max(wanted - length, 0) for wanted, length in zip((rows, columns), grid.shape, strict=True)]
    if any(missing):
        grid = cv2.copyMakeBorder(grid, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    return cv2.resize(grid[:rows, :columns], shape[::-1], interpolation=cv2.INTER_AREA)


def _has_evidence(values: np.ndarray, certainty: np.ndarray, *, max_sigma: float, scale: SigmaScale) -> bool:
    """Say whether a network is sure, of a fiftieth of the pixels at least, of blur well within its levels."""
    within = values < scale.encode(np.float32(max_sigma / 2))
    return bool((within & (certainty > SURE_CERTAINTY)).mean() > 0.02)


def _implausibility(values: np.ndarray, finer: np.ndarray, max_sigma: float, scale: SigmaScale) -> np.ndarray:
    """Return how likely a copy finds a large blur where the one twice its size finds hardly any."""
    own, other = scale.decode(values), scale.decode(_halve(finer, values.shape))
    return probability_below(other, max_sigma / 4, slope=6) * (1 - probability_below(own, max_sigma * 2 / 3, slope=6))


def oversampling(values: np.ndarray, certainty: np.ndarray, *, scale: SigmaScale = SigmaScale()) -> float:
    """Return how far half the size would hold all that a photograph does, 0 to 1, by what is sharpest in it.

    Parameters
    ----------
    values, certainty : as of `predict`
    scale : of the values
    """
    sure = certainty > SURE_CERTAINTY
    if not sure.any():
        return 1.0
    sharpest = max(float(scale.decode(np.quantile(values[sure], SHARPEST_QUANTILE))), float(MIN_SIGMA))
    return float(np.interp(np.log(sharpest), np.log((MIN_SHARPEST, MAX_SHARPEST)), (0, 1)))


def upscale_level(
    values: np.ndarray,
    certainty: np.ndarray,
    *,
    max_sigma: float,
    oversampled: float = 0.0,
    scale: SigmaScale = SigmaScale(),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Upscale the prediction of a half-size copy to pixels of the full-size photograph.

    What is sharp at half the size may be anything up to a pixel in the whole, so its certainty goes to 0, unless
    nothing in the whole is sharp.

    Parameters
    ----------
    values, certainty : as of `predict`
    oversampled : of the full-size photograph, see `oversampling`
    max_sigma, scale : see `merge_levels`

    Returns
    -------
    values; the certainty that counts; and how certain it is that sigma is beyond the max_sigma level, all of
    the shape of `values`, float32
    """
    sigma = scale.decode(values)
    sigma = np.sqrt(np.maximum(4 * sigma**2 - HALVING_VARIANCE, MIN_SIGMA**2))
    values = scale.encode(sigma)
    certainty = certainty * (1 - (1 - oversampled) * probability_below(sigma, MIN_HALVED_SIGMA, slope=6))
    beyond = 1 - probability_below(sigma, max_sigma, slope=6)
    weight = certainty * (HALVED_WEIGHT + (1 - HALVED_WEIGHT) * np.maximum(beyond, np.float32(oversampled)))
    return values, weight, certainty * beyond


def merge(
    values: np.ndarray, certainty: np.ndarray, others: np.ndarray, sure: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Average two predictions, weighted by squared certainty; keep the greater certainty.

    All are of one shape, float32, and are overwritten: of a large photograph each may take a good deal of memory.
    """
    weight, total = sure**2, certainty**2
    total += weight
    weight /= np.maximum(total, np.float32(1e-6), out=total)
    others -= values
    values += np.multiply(weight, others, out=others)
    return values, np.maximum(certainty, sure, out=certainty)
