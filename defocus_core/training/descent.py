"""Train a small network that votes or judges inside an application."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

MAX_GRADIENT = 1.0  # norm
YIELDED_STEPS = 100


def descend(
    network: nn.Module,
    take_batch: Callable[[], tuple[torch.Tensor, float]],
    *,
    steps: int,
    peak_rate: float,
    last_fraction: float,
    warm_up: int,
    weight_decay: float,
) -> Iterator[float]:
    """Take steps of AdamW, at a rate that rises evenly and then falls by half a cosine.

    Parameters
    ----------
    network : is trained
    take_batch : returns the loss of another batch and a number to report of it
    steps : in all
    peak_rate, last_fraction : largest learning rate, and the share of it that is left at the end
    warm_up : steps in which the rate rises
    weight_decay : decoupled

    Yields
    ------
    float
        After every hundred steps and the last, the mean of the numbers of the last hundred
    """
    optimizer, numbers = torch.optim.AdamW(network.parameters(), lr=peak_rate, weight_decay=weight_decay), []
    for step in range(steps):
        fall = last_fraction + (1 - last_fraction) / 2 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = peak_rate * min(1, step / warm_up) * fall
        loss, number = take_batch()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
        optimizer.step()
        numbers.append(number)
        if (step + 1) % YIELDED_STEPS == 0 or step + 1 == steps:
            yield float(np.mean(numbers[-YIELDED_STEPS:]))
