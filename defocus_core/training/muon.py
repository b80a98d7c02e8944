"""Muon: steps of convolutions are orthogonalised, so that no direction of a layer waits for another."""

from __future__ import annotations

import math

import torch
from torch import nn

MOMENTUM = 0.95
ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)  # of the iteration: singular values end between about .7 and 1.2
ADAMW_STEP = 0.2  # root mean square of a step of AdamW, as a fraction of its rate


class Muon(torch.optim.AdamW):
    """Take steps of Muon in the convolutions that mix channels, and of AdamW in all other parameters.

    A step of Muon is scaled to the root mean square of one of AdamW, so that both go by the same learning rate.

    Parameters
    ----------
    network : is trained; convolutions of one group and of more than one input channel take steps of Muon
    lr : learning rate
    weight_decay : decoupled, of all parameters
    fused : of AdamW

    References
    ----------
    Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024.
    Liu et al., Muon is scalable for LLM training, arXiv 2502.16982, 2025 (the scale).
    """

    def __init__(self, network: nn.Module, *, lr: float, weight_decay: float, fused: bool = False):
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        self._mixing = [layer.weight for layer in layers if layer.groups == 1 and layer.in_channels > 1]
        super().__init__(network.parameters(), lr=lr, weight_decay=weight_decay, fused=fused)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Take a step; gradients of the convolutions are None afterwards."""
        group = self.param_groups[0]
        for weight in self._mixing:
            if weight.grad is not None:
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.sub_(self._direction(weight, weight.grad), alpha=group["lr"])
                weight.grad = None  # AdamW takes no step where there is no gradient
        super().step()

    def _direction(self, weight: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        state = self.state[weight]
        if not state:
            state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(slope)}
        state["step"] += 1
        state["momentum"].lerp_(slope, 1 - MOMENTUM)
        matrix = slope.lerp(state["momentum"], MOMENTUM).flatten(1)
        return ADAMW_STEP * math.sqrt(max(matrix.shape)) * orthogonalised(matrix).view(weight.shape)


def orthogonalised(matrix: torch.Tensor) -> torch.Tensor:
    """Return about the nearest semi-orthogonal matrix, by Newton and Schulz's iteration in bfloat16.

    Parameters
    ----------
    matrix : (M, N) float32

    Returns
    -------
    (M, N) float32 with the singular vectors of `matrix` and singular values of about .7 to 1.2
    """
    wide = matrix.bfloat16()
    if matrix.shape[0] > matrix.shape[1]:
        wide = wide.t()
    wide = wide / (wide.norm() + 1e-7)
    first, third, fifth = QUINTIC
    for _ in range(ITERATIONS):
        gram = wide @ wide.t()
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=third, alpha=fifth), wide, beta=first)
    return (wide.t() if matrix.shape[0] > matrix.shape[1] else wide).to(matrix.dtype)
