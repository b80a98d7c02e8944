"""Save and resume the state of a training."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from defocus_core.io import atomic
from defocus_core.networks.classifier import restore_weights


def snapshot(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of the weights and statistics of a network."""
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


def save_checkpoint(
    checkpoint: str | Path | None,
    *,
    stamp: str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    best: dict[str, torch.Tensor],
    history: list[dict],
) -> None:
    """Write the state of a training, whole or not at all; without a file, do nothing.

    Parameters
    ----------
    checkpoint : safetensors file
    stamp : what tells this training from others; only a training of the same stamp goes on from the file
    model, optimizer : as they are now
    best : weights at the least validation loss so far, see `snapshot`
    history : rows so far
    """
    if checkpoint is None:
        return
    tensors = {f"model/{key}": value for key, value in snapshot(model).items()}
    tensors |= {f"best/{key}": value for key, value in best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{key}": value for key, value in state.items()}
    tensors = {key: value.contiguous() for key, value in tensors.items()}
    with atomic.replacing(checkpoint) as part:
        safetensors.torch.save_file(tensors, part, {"stamp": stamp, "history": json.dumps(history)})


def resume_checkpoint(checkpoint, stamp, model, optimizer) -> tuple[dict, list[dict]]:
    """Load the state that an interrupted run left, if it was the same run."""
    fresh = snapshot(model), []
    if checkpoint is None or not Path(checkpoint).is_file():
        return fresh
    try:
        with safe_open(checkpoint, "pt") as file:
            header = file.metadata()
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except Exception:  # a damaged checkpoint only costs its epochs
        return fresh
    if header.get("stamp") != stamp:
        return fresh
    restore_weights(model, _strip_prefix(tensors, "model/"))
    state = optimizer.state_dict()
    for key, value in _strip_prefix(tensors, "optimizer/").items():
        index, field = key.split("/")
        state["state"].setdefault(int(index), {})[field] = value
    optimizer.load_state_dict(state)
    return _strip_prefix(tensors, "best/"), json.loads(header["history"])


def _strip_prefix(tensors: dict, prefix: str) -> dict:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
