"""Blur measures to compare with: grey photograph in, map out, higher is more blurred.

Those of :data:`WITH_UNIT` give a sigma in pixels; the others have no unit, and a benchmark scales each map
between its own extremes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import hifst, local, patterns, reblur, scales

METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "entropy": local.entropy,
    "standard_deviation": local.standard_deviation,
    "laplacian_variance": local.laplacian_variance,
    "lbp": patterns.lbp,
    "hifst": hifst.hifst,
    "edge_ratio": reblur.edge_ratio,
    "edge_ratio_matting": reblur.edge_ratio_matting,
    "edge_scale": scales.edge_scale,
}
WITH_UNIT = ("edge_ratio", "edge_ratio_matting", "edge_scale")
