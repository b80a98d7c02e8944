"""Turn level probabilities into sigma and certainty."""

from __future__ import annotations

import math

import numpy as np
import torch

from defocus_core.blur.sigma_scale import SigmaScale
from defocus_core.maps.config import MapConfig


def decide_levels(logits: torch.Tensor, sigmas: torch.Tensor, config: MapConfig) -> tuple[np.ndarray, np.ndarray]:
    """Convert level logits to sigma and its certainty.

    Parameters
    ----------
    logits : (levels, rows, columns)
    sigmas : (levels,) pixels

    Returns
    -------
    sigma, or its logarithm (see `MapConfig`), and certainty in [0, 1], each (rows, columns) float32
    """
    chances = logits.softmax(0)
    levels = SigmaScale(config.log_sigma).encode(sigmas)
    if config.decision == "winner":
        values = levels[chances.argmax(0)]
    else:
        values = torch.einsum("lrc,l->rc", chances, levels)
    entropy = -(chances * chances.clamp_min(1e-12).log()).sum(0) / math.log(len(sigmas))
    return values.numpy(), (1 - entropy).clamp_min(0).numpy()
