"""Train a backbone from patch files to a file of weights, in this process or in several."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from defocus_core.memory import keep_freed_memory
from defocus_core.networks.storage import save_model
from defocus_core.training.config import TrainConfig
from defocus_core.training.datasets import PatchDataset
from defocus_core.training.loop import default_device, train, write_history
from defocus_core.training.patch_store import check_patch_file, read_patches
from defocus_core.training.ranks import joined_ranks, launch_ranks, rank_index


@dataclass(frozen=True)
class PatchTraining:
    """One training from files to files.

    Parameters
    ----------
    backbone : one of `patch_backbone_names`
    train, validation : patch files
    settings : of `TrainConfig`; the file of weights holds them as they are given
    seed : of initial weights, order and augmentation
    checkpoint : file for the state of the training, so that a killed one goes on; removed at the end
    model, history : files to write, `.safetensors` and CSV
    """

    backbone: str
    train: str
    validation: str
    settings: dict[str, Any]
    seed: int
    checkpoint: str
    model: str
    history: str


def train_on_patches(training: PatchTraining, *, processes: int = 1, threads: int = 1) -> None:
    """Train a backbone on patch files.

    Parameters
    ----------
    training : files and settings
    processes : that share every batch, see `defocus_core.training.ranks`; 1 is this one
    threads : of several processes, all together; this one keeps to those it has

    Raises
    ------
    ValueError
        If a file, a setting or the loss is wrong.
    subprocess.CalledProcessError
        If one of several processes fails.
    """
    if processes > 1:
        launch_ranks(__name__, json.dumps(asdict(training)), count=processes, threads=threads)
    else:
        _train(training)


def _train(training: PatchTraining) -> None:
    """Train as this process, alone or one of several; the first of them reports and writes."""
    keep_freed_memory()
    device, first = default_device(), rank_index() == 0
    columns = {"train": read_patches(training.train), "validation": read_patches(training.validation)}
    model, history = train(
        training.backbone,
        sigmas=columns["train"]["sigmas"],
        train=PatchDataset.of(columns["train"], device),
        validation=PatchDataset.of(columns["validation"], device),
        config=TrainConfig(**training.settings),
        seed=training.seed,
        checkpoint=training.checkpoint,
        report=print if first else lambda row: None,
    )
    if first:
        described = check_patch_file(training.train)["parameters"]
        save_model(model, training.model, about={**described, "train": training.settings})
        write_history(history, training.history)
        Path(training.checkpoint).unlink(missing_ok=True)


if __name__ == "__main__":
    with joined_ranks():
        _train(PatchTraining(**json.loads(sys.argv[1])))
