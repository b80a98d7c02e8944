"""The protocol of dense networks; each is one module of `networks/dense`."""

from __future__ import annotations

from typing import Protocol

import torch


class DenseNetwork(Protocol):
    """A network that predicts pixels and runs tile by tile.

    Attributes
    ----------
    cell : pixels from one answer to the next
    feature_strides : pixels from one position to the next in each of its feature maps, finest first; each a
        multiple of the one before, the last a multiple of `cell`. Sides of images are multiples of the last
    reach : pixels around a position that its features depend on
    answer_reach : pixels around an answer whose features it depends on
    """

    cell: int
    feature_strides: tuple[int, ...]
    reach: int
    answer_reach: int

    def features(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, 1, H, W) grey in [0, 1] -> feature maps, (N, C, H / stride, W / stride) for each stride."""
        ...

    def summary(self, features: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Feature maps of whole images -> what answers need to know of the whole, (N, C, 1, 1)."""
        ...

    def answer(self, features: tuple[torch.Tensor, ...], summary: torch.Tensor) -> torch.Tensor:
        """Feature maps, whole or a tile of them, and their summary -> (N, levels, H / cell, W / cell) logits."""
        ...
