"""Blur measures to compare with: grey photograph in, map out, higher is more blurred.

Those of :data:`WITH_UNIT` give a sigma in pixels; the others have no unit, and a benchmark scales each map
between its own extremes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .local import entropy, laplacian_variance, standard_deviation
from .patterns import lbp
from .reblur import edge_ratio

METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "entropy": entropy,
    "standard_deviation": standard_deviation,
    "laplacian_variance": laplacian_variance,
    "lbp": lbp,
    "edge_ratio": edge_ratio,
}
WITH_UNIT = ("edge_ratio",)

__all__ = ["METHODS", "WITH_UNIT", *METHODS]
