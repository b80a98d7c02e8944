"""Scores of fused images that need no truth: how much of the sources arrives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from defocus_core.evaluation import metrics
from defocus_core.io.color import to_grey

PART = 4096  # windows at a time, so that their joint distributions stay in the processor's cache
FLAT = 1e-6  # variance, in squared grey levels of 0..255, below which a window is flat


def fusion_scores(shots: Sequence[np.ndarray], fused: np.ndarray) -> dict[str, float]:
    """Return all scores of a fused image, by name: the functions below from `q_abf` to `ssim_sources`.

    They are defined for two shots; of more, the mean over all pairs of neighbours.

    Parameters
    ----------
    shots, fused : (H, W) or (H, W, 3) RGB images; scored on their rounded grey levels

    Raises
    ------
    ValueError
        If there are fewer than two shots, or the sizes differ.
    """
    greys = [np.rint(to_grey(image) * 255) for image in shots]
    result = np.rint(to_grey(fused) * 255)
    sizes = {grey.shape for grey in (*greys, result)}
    if len(greys) < 2 or len(sizes) > 1:
        raise ValueError(f"scores are of two shots or more of one size, not of {len(greys)} of {sizes}")
    return {
        metric.__name__: float(np.mean([metric(one, other, result) for one, other in pairwise(greys)]))
        for metric in (q_abf, q_g, nmi, q_y, q_cb, fmi, ssim_sources)
    }


def q_abf(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return Q^{AB/F}: how well the fused image keeps the gradients of both sources.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255

    Returns
    -------
    float in [0, 1]; higher is better

    References
    ----------
    Xydeas & Petrovic, Electronics Letters 2000; constants of the authors' code. Angles are compared
    as they are, without wrapping at a half turn, as in the published figures of the field. Images are
    mirrored at their frame.
    """
    return _gradients_kept(first, second, fused, cv2.BORDER_REFLECT_101)


def q_g(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return Q_G, `q_abf` as the code behind the published figures has it: with zeros around.

    The frame is then the strongest edge of all, and every method keeps it: the score is higher by about
    .01 for all of them.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255

    Returns
    -------
    float in [0, 1]; higher is better

    References
    ----------
    Liu et al., Multi-focus image fusion: a survey of the state of the art, Information Fusion 2020.
    """
    return _gradients_kept(first, second, fused, cv2.BORDER_CONSTANT)


def nmi(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return the normalised mutual information of the fused image with its sources.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255

    Returns
    -------
    float in [0, 2]; higher is better

    References
    ----------
    Hossny, Nahavandi & Creighton, Electronics Letters 2008: 2 sum_X I(X; F) / (H(X) + H(F)).
    """
    return _mutual_information(first, fused) + _mutual_information(second, fused)


def q_y(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return Q_Y: structural similarity to both sources where they agree, to the closer one where not.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255, at least 7x7

    Returns
    -------
    float in [-1, 1]; higher is better

    Notes
    -----
    The published formula has no constants against division by zero. Here two flat windows have the
    structure of each other (their similarity is that of their means), and sources that are both flat weigh
    the same. The code that circulates adds 2e-16 to each term, which leaves flat windows to rounding errors.

    References
    ----------
    Yang, Zhang, Wang & Liu, Information Fusion 2008. Windows of 7x7, Gaussian of sigma 1.5, as in the
    toolbox of Liu et al. (TPAMI 2012).
    """
    first, second, fused = (image.astype(np.float64) for image in (first, second, fused))
    variances = [_moments(image)[1] for image in (first, second)]
    total = variances[0] + variances[1]
    share = np.divide(variances[0], total, out=np.full_like(total, 0.5), where=total > FLAT)
    to_first, to_second = _similarity(first, fused), _similarity(second, fused)
    agree = _similarity(first, second) >= 0.75
    both = share * to_first + (1 - share) * to_second
    return float(np.where(agree, both, np.maximum(to_first, to_second)).mean())


def q_cb(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return Q_CB: how much of the contrast that the eye sees in the sources the fused image keeps.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels; each is stretched to 0..255 first

    Returns
    -------
    float in [0, 1]; higher is better

    References
    ----------
    Chen & Blum, Image and Vision Computing 2009: contrast sensitivity as a difference of Gaussians (Watson &
    Ahumada 2005), Peli's contrast between Gaussians of sigma 2 and 4, masking with p = 3, q = 2, Z = 0.0001.
    The scale of frequencies, a thirtieth of the image's size, is that of the toolbox of Liu et al. (TPAMI
    2012).
    """
    contrast_a, contrast_b, contrast_f = (_masked_contrast(image) for image in (first, second, fused))
    total = contrast_a**2 + contrast_b**2
    share = np.divide(contrast_a**2, total, out=np.full_like(total, 0.5), where=total > 0)
    return float((share * _ratio(contrast_a, contrast_f) + (1 - share) * _ratio(contrast_b, contrast_f)).mean())


def fmi(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return the feature mutual information: the share of the sources' gradients that the fused image tells.

    In every 3x3 window the gradient magnitudes, stretched to 0..1 and divided by their sum, count as a
    distribution over the window's nine places. The joint distribution of two windows lies between
    independence and the bound of Hoeffding and Frechet, as far as their correlation says.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255

    Returns
    -------
    float in [0, 1], mean over windows and sources of 2 I / (H + H); higher is better

    References
    ----------
    Haghighat & Razian, "Fast-FMI: non-reference image fusion metric", AICT 2014; Haghighat, Aghagolzadeh &
    Seyedarabi, Computers & Electrical Engineering 2011.
    """
    features = [_distributions(_gradient(image, cv2.BORDER_CONSTANT)[0]) for image in (first, second, fused)]
    return float(np.mean([_window_information(feature, features[2]).mean() for feature in features[:2]]))


def ssim_sources(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return the mean structural similarity (`ssim`) to the two sources.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255

    Returns
    -------
    float in [-1, 1]; highest for something between the sources, not for the sharpest
    """
    return float(np.mean([metrics.ssim(fused / 255, source / 255) for source in (first, second)]))


def _moments(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = _window(image)
    return mean, np.maximum(_window(image * image) - mean * mean, 0)


def _window(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (7, 7), 1.5)[3:-3, 3:-3]


def _similarity(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the structural similarity of every whole window, without constants; see `q_y`."""
    (mean_a, variance_a), (mean_b, variance_b) = _moments(one), _moments(other)
    shared = _window(one * other) - mean_a * mean_b
    ones = np.ones_like(mean_a)
    means, variances = mean_a**2 + mean_b**2, variance_a + variance_b
    luminance = np.divide(2 * mean_a * mean_b, means, out=ones.copy(), where=means > 0)
    return luminance * np.divide(2 * shared, variances, out=ones, where=variances > FLAT)


def _masked_contrast(image: np.ndarray) -> np.ndarray:
    low, high = float(image.min()), float(image.max())
    image = np.rint((image.astype(np.float64) - low) / max(high - low, 1e-12) * 255)
    down, across = (length / 15 * np.fft.fftfreq(length) for length in image.shape)
    frequency = np.hypot(down[:, None], across[None])
    seen = np.exp(-((frequency / 15.3870) ** 2)) - 0.7622 * np.exp(-((frequency / 1.3456) ** 2))
    filtered = np.fft.ifft2(np.fft.fft2(image) * seen).real
    fine, coarse = (_sum_around(filtered, sigma) for sigma in (2, 4))
    contrast = np.abs(np.divide(fine, coarse, out=np.ones_like(fine), where=coarse != 0) - 1)
    return contrast**3 / (contrast**2 + 1e-4)


def _sum_around(image: np.ndarray, sigma: float) -> np.ndarray:
    """Correlate with a Gaussian density sampled on 31x31 points, zero beyond the border."""
    offsets = np.arange(-15, 16)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma)
    return cv2.sepFilter2D(image, cv2.CV_64F, weights, weights, borderType=cv2.BORDER_CONSTANT)


def _ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    low, high = np.minimum(one, other), np.maximum(one, other)
    return np.divide(low, high, out=np.ones_like(low), where=high > 0)


def _distributions(feature: np.ndarray) -> np.ndarray:
    """Return every 3x3 window as a distribution over its places, (windows, 9) float32; flat is uniform."""
    windows = np.lib.stride_tricks.sliding_window_view(feature.astype(np.float32), (3, 3)).reshape(-1, 9)
    windows = windows - windows.min(1, keepdims=True)
    total = windows.sum(1, keepdims=True)
    return np.divide(windows, total, out=np.full_like(windows, 1 / 9), where=total > 0)


def _window_information(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the normalised mutual information of pairs of distributions, (windows,); 1 where equal."""
    shared = np.ones(len(one), np.float32)
    differ = np.flatnonzero((one != other).any(1))
    for start in range(0, len(differ), PART):
        part = differ[start : start + PART]
        shared[part] = _information(one[part], other[part])
    return shared


def _information(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return 2 I / (H + H) of pairs of distributions over nine places, (n,) in [0, 1]."""
    below, above = one.cumsum(1)[:, :, None], other.cumsum(1)[:, None, :]
    apart = one[:, :, None] * other[:, None, :]
    deviations = [values - values.mean(1, keepdims=True) for values in (one, other)]
    spread = np.sqrt(np.prod([(d * d).sum(1) for d in deviations], axis=0))
    product = (deviations[0] * deviations[1]).sum(1)
    correlation = np.divide(product, spread, out=np.zeros_like(product), where=spread > 0)
    positive = (correlation >= 0)[:, None, None]
    bound = np.where(positive, np.minimum(below, above), np.maximum(below + above - 1, 0))
    covariance = (bound - below * above).sum((1, 2))
    wanted = correlation * _standard_deviation(one) * _standard_deviation(other)
    nearness = np.divide(wanted, covariance, out=np.zeros_like(wanted), where=np.abs(covariance) > 1e-9)
    nearness = np.clip(nearness, 0, 1)[:, None, None]
    bound[:, 1:] -= bound[:, :-1].copy()
    bound[:, :, 1:] -= bound[:, :, :-1].copy()
    joint = nearness * np.maximum(bound, 0) + (1 - nearness) * apart
    marginal = _entropies(one) + _entropies(other)
    shared = marginal - _entropies(joint.reshape(len(joint), -1))
    return np.clip(np.divide(2 * shared, marginal, out=np.zeros_like(marginal), where=marginal > 1e-6), 0, 1)


def _standard_deviation(chances: np.ndarray) -> np.ndarray:
    places = np.arange(chances.shape[1], dtype=np.float32)
    return np.sqrt(np.maximum(chances @ places**2 - (chances @ places) ** 2, 0))


def _entropies(chances: np.ndarray) -> np.ndarray:
    return -(chances * np.log2(np.maximum(chances, np.float32(1e-30)))).sum(1)


def _gradients_kept(first: np.ndarray, second: np.ndarray, fused: np.ndarray, border: int) -> float:
    strength_a, angle_a = _gradient(first, border)
    strength_b, angle_b = _gradient(second, border)
    strength_f, angle_f = _gradient(fused, border)
    kept_a = _edge_preservation(strength_a, angle_a, strength_f, angle_f)
    kept_b = _edge_preservation(strength_b, angle_b, strength_f, angle_f)
    total = (strength_a + strength_b).sum()
    return float((kept_a * strength_a + kept_b * strength_b).sum() / total) if total else 0.0


def _gradient(image: np.ndarray, border: int) -> tuple[np.ndarray, np.ndarray]:
    image = image.astype(np.float64)
    across = cv2.Sobel(image, cv2.CV_64F, 1, 0, ksize=3, borderType=border)
    down = cv2.Sobel(image, cv2.CV_64F, 0, 1, ksize=3, borderType=border)
    upright = across == 0
    angle = np.where(upright, np.pi / 2, np.arctan(down / np.where(upright, 1, across)))
    return np.hypot(across, down), angle


def _edge_preservation(
    strength: np.ndarray, angle: np.ndarray, strength_f: np.ndarray, angle_f: np.ndarray
) -> np.ndarray:
    low, high = np.minimum(strength, strength_f), np.maximum(strength, strength_f)
    ratio = np.divide(low, high, out=np.zeros_like(low), where=high > 0)
    alignment = 1 - np.abs(angle - angle_f) * 2 / np.pi
    kept_strength = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5)))
    kept_angle = 0.9879 / (1 + np.exp(-22 * (alignment - 0.8)))
    return kept_strength * kept_angle


def _mutual_information(source: np.ndarray, fused: np.ndarray) -> float:
    joint = np.histogram2d(source.ravel(), fused.ravel(), bins=256, range=[[0, 256], [0, 256]])[0]
    joint /= joint.sum()
    entropy_source, entropy_fused = _entropy(joint.sum(1)), _entropy(joint.sum(0))
    both = entropy_source + entropy_fused
    return 2 * (both - _entropy(joint.ravel())) / both if both else 0.0


def _entropy(chances: np.ndarray) -> float:
    chances = chances[chances > 0]
    return float(-(chances * np.log2(chances)).sum())
