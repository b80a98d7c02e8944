"""The scale on which networks and maps average sigma."""

from __future__ import annotations

import numpy as np
from scipy import special

MIN_SIGMA = np.float32(0.1)  # pixels of sigma below which the logarithm tells nothing apart


def probability_below(sigma: np.ndarray, limit: float, *, slope: float) -> np.ndarray:
    """Return how likely sigma is below a limit: a logistic of its logarithm, (H, W) float32 in [0, 1]."""
    ratio = np.float32(limit) / np.maximum(sigma, np.float32(1e-6))
    return special.expit(np.float32(slope) * np.log(ratio))
