"""Weights of small networks that vote or judge inside an application: safetensors of 16 bit."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import safetensors.torch
import torch
from torch import nn

from defocus_core.io import atomic

Network = TypeVar("Network", bound=nn.Module)


def save_half(network: nn.Module, path: str | Path) -> None:
    """Write the weights of a network in 16 bit; integers stay as they are."""
    state = {name: _halved(value.detach()).contiguous() for name, value in network.state_dict().items()}
    atomic.write_bytes(path, safetensors.torch.save(state))


def load_half(network: Network, path: str | Path) -> Network:
    """Load weights that `save_half` wrote; return the network in eval mode, in channels-last order."""
    network.load_state_dict(safetensors.torch.load_file(path))
    return network.eval().to(memory_format=torch.channels_last)


def _halved(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value
