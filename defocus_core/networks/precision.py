"""Compute in bfloat16 where that is faster."""

from __future__ import annotations

import torch
from torch import nn

PROCESSOR_UNITS = ("amx_bf16", "avx512_bf16")  # that multiply bfloat16 twice as fast as float32, or faster


def mixed_precision(network: nn.Module, device: torch.device, *, wanted: bool = True) -> torch.autocast:
    """Return a context in which a network's products are of bfloat16, where that is faster and wanted.

    It is on graphics processors, and on processors that multiply bfloat16 where the network has no depthwise
    layers: those are faster in float32 (`fast_small_grids`).
    """
    faster = device.type == "cuda" or (_multiplies_bfloat16() and not _has_depthwise(network))
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and faster)


def _multiplies_bfloat16() -> bool:
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # not there in every torch
    return any(capabilities.get(unit) for unit in PROCESSOR_UNITS)


def _has_depthwise(network: nn.Module) -> bool:
    return any(isinstance(layer, nn.Conv2d) and layer.groups > 1 for layer in network.modules())
