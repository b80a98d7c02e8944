"""The scale on which networks and maps average sigma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy import special

if TYPE_CHECKING:
    import torch

MIN_SIGMA = np.float32(0.1)  # pixels of sigma below which the logarithm tells nothing apart
Values = TypeVar("Values", np.ndarray, np.float32, "torch.Tensor")
_NUMPY = (np.ndarray, np.floating)


@dataclass(frozen=True)
class SigmaScale:
    """Convert between sigma and the scale of averages: log(sigma + 0.1), or sigma itself.

    Examples
    --------
    >>> scale = SigmaScale()
    >>> print(scale.decode(scale.encode(np.array([0.5, 2.0]))).round(6))
    [0.5 2. ]
    """

    logarithmic: bool = True

    def encode(self, sigma: Values) -> Values:
        """Return sigma in pixels, an array or a tensor, on this scale."""
        if not self.logarithmic:
            return sigma
        shifted = sigma + float(MIN_SIGMA)
        return np.log(shifted) if isinstance(shifted, _NUMPY) else shifted.log()

    def decode(self, values: Values) -> Values:
        """Return values on this scale as sigma in pixels."""
        if not self.logarithmic:
            return values
        grown = np.exp(values) if isinstance(values, _NUMPY) else values.exp()
        return grown - float(MIN_SIGMA)


def probability_below(sigma: np.ndarray, limit: float, *, slope: float) -> np.ndarray:
    """Return the probability that sigma is below a limit, a logistic of log sigma.

    Parameters
    ----------
    sigma : (H, W) float32, pixels
    limit : sigma at which it is 1/2
    slope : of the logistic in log sigma

    Returns
    -------
    (H, W) float32 in [0, 1]

    Examples
    --------
    >>> print(probability_below(np.array([0.5, 1, 2], np.float32), 1, slope=4).round(2))
    [0.94 0.5  0.06]
    """
    ratio = np.float32(limit) / np.maximum(sigma, np.float32(1e-6))
    return special.expit(np.float32(slope) * np.log(ratio))
