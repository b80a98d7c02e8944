"""The state of a training, on disk and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from defocus_core.io import atomic
from defocus_core.networks.classifier import Classifier, restore_weights


@dataclass
class TrainingState:
    """What a training needs to go on; random numbers follow from the seed and the step.

    Parameters
    ----------
    networks : `model`, and `average` where a running mean of its weights is kept
    optimizer : of the model
    best : weights at the least validation loss so far, see `snapshot`
    sums : (2,) float32, loss and accuracy summed over the steps since the last row of the history
    step : steps done
    history : rows so far
    """

    networks: Mapping[str, Classifier]
    optimizer: torch.optim.Optimizer
    best: dict[str, torch.Tensor]
    sums: torch.Tensor
    step: int = 0
    history: list[dict] = field(default_factory=list)

    def save(self, path: str | Path, *, stamp: str) -> None:
        """Write the state as safetensors, whole or not at all; only a training of the same stamp resumes it."""
        tensors = {"sums": self.sums}
        for name, network in self.networks.items():
            tensors |= {f"{name}/{key}": value for key, value in snapshot(network).items()}
        tensors |= {f"best/{key}": value for key, value in self.best.items()}
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": value for key, value in values.items()}
        tensors = {key: value.contiguous() for key, value in tensors.items()}
        header = {"stamp": stamp, "step": str(self.step), "history": json.dumps(self.history)}
        with atomic.replacing(path) as part:
            safetensors.torch.save_file(tensors, part, header)

    def resume(self, path: str | Path, *, stamp: str) -> None:
        """Take over the state that an interrupted run of the same stamp left; else stay as it is."""
        if not Path(path).is_file():
            return
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata()
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except Exception:  # a damaged checkpoint only costs its steps
            return
        if header.get("stamp") != stamp:
            return
        for name, network in self.networks.items():
            restore_weights(network, _strip_prefix(tensors, f"{name}/"))
        state = self.optimizer.state_dict()
        for key, value in _strip_prefix(tensors, "optimizer/").items():
            index, name = key.split("/")
            state["state"].setdefault(int(index), {})[name] = value
        self.optimizer.load_state_dict(state)
        self.best, self.history = _strip_prefix(tensors, "best/"), json.loads(header["history"])
        self.sums.copy_(tensors["sums"])
        self.step = int(header["step"])


def snapshot(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of the weights and statistics of a network."""
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


def _strip_prefix(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
