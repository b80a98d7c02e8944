"""Loss and accuracy over blur levels, whole or fractional."""

from __future__ import annotations

import torch
from torch.nn import functional


def level_cross_entropy(scores: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """Cross-entropy; a level between two shares its weight between them."""
    if not level.is_floating_point():
        return functional.cross_entropy(scores, level)
    lower = level.floor().long().clamp(max=scores.shape[1] - 2)
    share = level - lower
    chances = scores.log_softmax(1)
    below, above = (chances.gather(1, index.unsqueeze(1)).squeeze(1) for index in (lower, lower + 1))
    return -((1 - share) * below + share * above).mean()


def level_accuracy(scores: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """Return the fraction of predictions whose likeliest level is the true one, rounded; shapes as the loss has."""
    return (scores.argmax(1) == level.round()).float().mean()


def level_to_sigma(level: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    """Return the sigma of whole levels, or of levels between two by the logarithm."""
    if not level.is_floating_point():
        return sigmas[level]
    logs = sigmas.log()
    lower = level.floor().long().clamp(max=len(sigmas) - 2)
    return (logs[lower] + (level - lower) * (logs[lower + 1] - logs[lower])).exp()
