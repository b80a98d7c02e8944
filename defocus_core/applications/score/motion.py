"""Directional blur, as of motion: how much faster grey levels change across one direction than along another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from defocus_core.maps.detail import noise_variance

STEPS = ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1))  # (x, y) of eight directions
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24)  # pixels, about
MIN_LAGS = 4
MIN_VARIATION = 0.15  # of the direction of least variation, as a share of that of most: stripes have less
GAIN, MIN_SQUARE = 2.0, 0.03  # chosen on the scenes of evaluation/experiments/score.py with other photographs
SHARP_SIGMA = 0.3  # pixels, that the network says of the sharpest photographs
NOISE_FLOOR = 0.15  # share of the noise below which a structure function tells nothing
_SIGMAS = np.geomspace(0.15, 16, 48)  # of a step edge, pixels


@dataclass(frozen=True)
class Motion:
    """Blur that one direction has beyond the others.

    Parameters
    ----------
    sigma : standard deviation along that direction, pixels; 0 where blur is round or nothing tells its direction
    angle : of the direction, degrees counter-clockwise from the rows, in [0, 180); NaN where sigma is 0
    """

    sigma: float
    angle: float


ROUND = Motion(0.0, float("nan"))


def directional_blur(grey: np.ndarray, weight: np.ndarray, *, round_sigma: float = 0.0) -> Motion:
    """Measure the blur that one direction has beyond the others.

    The structure function of a direction, the mean squared difference of pixels some lag apart, tells how wide edges
    are along it, however many there are. So a facade, whose edges all stand upright, is not taken for motion. Where a
    direction has hardly any variation, as along stripes, nothing is told.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    weight : (H, W) float32, what of it counts
    round_sigma : blur that all directions have, pixels, as far as it is known: motion leaves edges along it sharp, so
        that a direction is believed only as far as it exceeds this

    References
    ----------
    Yitzhaky & Kopeika, Identification of blur parameters from motion blurred images, GMIP 1997, use one lag.
    """
    found = [_structure(grey, weight, step) for step in STEPS]
    if any(len(lags) < MIN_LAGS for lags, _ in found):
        return ROUND
    last = np.array([values[-1] for _, values in found])
    noise = 2 * noise_variance(grey)
    signal = last - noise
    if not signal.min() > MIN_VARIATION * signal.max():
        return ROUND
    squares = np.array([_edge_sigma(lags, values, noise) ** 2 for lags, values in found])
    angles = np.array([np.arctan2(y, x) for x, y in STEPS])
    design = np.column_stack([np.ones(len(STEPS)), np.cos(2 * angles), np.sin(2 * angles)])
    mean, cosine, sine = np.linalg.lstsq(design, squares, rcond=None)[0]
    amplitude = float(np.hypot(cosine, sine))
    least = max(float(mean) - amplitude, max(round_sigma - SHARP_SIGMA, 0) ** 2)
    excess = 2 * amplitude - least - MIN_SQUARE
    if excess <= 0:
        return ROUND
    angle = float(np.degrees(-np.arctan2(sine, cosine) / 2) % 180)  # rows of an image count downward
    return Motion(GAIN * float(np.sqrt(excess)), angle)


def _structure(grey: np.ndarray, weight: np.ndarray, step: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return lags in pixels along a direction, and the mean squared difference of grey levels at each."""
    (dx, dy), length = step, float(np.hypot(*step))
    counts = sorted({max(1, round(lag / length)) for lag in LAGS})
    counts = [count for count in counts if 4 * count * max(abs(dx), dy) <= min(grey.shape)]
    values = [_mean_square(grey, weight, count * dx, count * dy) for count in counts]
    return length * np.array(counts), np.array(values)


def _mean_square(grey: np.ndarray, weight: np.ndarray, dx: int, dy: int) -> float:
    height, width = grey.shape[0] - dy, grey.shape[1] - abs(dx)
    left, right = max(-dx, 0), max(dx, 0)
    change = grey[dy:, right : right + width] - grey[:height, left : left + width]
    counted = weight[dy // 2 : dy // 2 + height, abs(dx) // 2 : abs(dx) // 2 + width]
    total = float(counted.sum())
    return float(np.einsum("rc,rc,rc->", change, change, counted)) / total if total else 0.0


def _edge_sigma(lags: np.ndarray, values: np.ndarray, noise: float) -> float:
    """Return the sigma of the step edge whose structure function has the shape of a measured one."""
    signal = np.maximum(values - noise, NOISE_FLOOR * noise + 1e-12)
    weights = 1 / (lags * (1 + (2 * NOISE_FLOOR * noise / signal) ** 2))
    misfit = np.log(signal) - np.log(_step_structure(lags, _SIGMAS[:, None]))
    misfit -= (misfit * weights).sum(1, keepdims=True) / weights.sum()
    return float(_SIGMAS[np.argmin((weights * misfit**2).sum(1))])


def _step_structure(lag: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Return the integral of (F(x + lag) - F(x))^2 for a step F blurred by a Gaussian."""
    return lag * erf(lag / (2 * sigma)) - 2 * sigma / np.sqrt(np.pi) * (1 - np.exp(-(lag**2) / (4 * sigma**2)))
