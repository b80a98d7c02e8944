"""Blur measures to compare with: grey photograph in, map out, higher is more blurred.

Those of `WITH_UNIT` give a sigma in pixels; the others have no unit, and a benchmark scales each map
between its own extremes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from defocus_core.evaluation.baselines import (
    hifst,
    local_binary_patterns,
    local_statistics,
    reblur,
    scale_space,
)

METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "entropy": local_statistics.entropy,
    "standard_deviation": local_statistics.standard_deviation,
    "laplacian_variance": local_statistics.laplacian_variance,
    "lbp": local_binary_patterns.lbp,
    "hifst": hifst.hifst,
    "edge_ratio": reblur.edge_ratio,
    "edge_ratio_matting": reblur.edge_ratio_matting,
    "edge_scale": scale_space.edge_scale,
}
WITH_UNIT = ("edge_ratio", "edge_ratio_matting", "edge_scale")
