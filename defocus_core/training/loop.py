"""Train a classifier on patches or on scenes: the loop, readable from top to bottom."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from defocus_core.io import atomic
from defocus_core.networks.classifier import (
    Classifier,
    build_classifier,
    copy_matching_weights,
    restore_weights,
)
from defocus_core.training import augmentation
from defocus_core.training.checkpoint import resume_checkpoint, save_checkpoint, snapshot
from defocus_core.training.datasets import PatchDataset, SceneDataset, tensor_digest
from defocus_core.training.losses import level_accuracy, level_cross_entropy, level_to_sigma

HISTORY_COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
)


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Parameters
    ----------
    epochs : passes over the training patches
    batch : patches a step
    learning_rate : of Adam (betas 0.9, 0.999, eps 1e-8, as in the paper)
    schedule : `constant` (the paper's) or `cosine` with a warm-up of 5 % of the steps
    weight_decay : decoupled (AdamW) where above 0
    patience : epochs without a better validation loss before stopping; 0 never stops early
    augment : ranges of the augmentations, see `AugmentConfig`
    seed : of initial weights, order and augmentation
    """

    epochs: int = 100
    batch: int = 128
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.0
    patience: int = 0
    augment: augmentation.AugmentConfig = augmentation.AugmentConfig()
    seed: int = 0

    def __post_init__(self):
        if self.schedule not in ("constant", "cosine"):
            raise ValueError(f"no schedule {self.schedule!r}; known: constant, cosine")
        for name, least in (("epochs", 1), ("batch", 1), ("patience", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}, not {getattr(self, name)}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is a number above 0, not {self.learning_rate}")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay is a number from 0 on, not {self.weight_decay}")


def train_config_from(options: dict, *, seed: int) -> TrainConfig:
    """Build `TrainConfig` from a mapping such as the workflow's `train` section."""
    options = dict(options)
    ranges = augmentation.AugmentConfig(**options.pop("augment", {}))
    return replace(TrainConfig(**options), augment=ranges, seed=seed)


def default_device() -> torch.device:
    """Return the graphics processor where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(
    name: str,
    *,
    sigmas,
    train: PatchDataset | SceneDataset,
    validation: PatchDataset | SceneDataset,
    settings: TrainConfig,
    start: Classifier | None = None,
    checkpoint: str | Path | None = None,
    report: Callable[[dict], None] = lambda row: None,
) -> tuple[Classifier, list[dict]]:
    """Train a backbone and return it at its best validation loss.

    Parameters
    ----------
    name : one of `backbone_names`
    sigmas : (levels,) true sigma of each level, in pixels
    train, validation : patches, or scenes for a dense network, on the device to train on
    settings : see `TrainConfig`
    start : network whose layers of the same shape are where this one starts
    checkpoint : file that holds the state after every epoch; a run that finds one made with the
        same settings goes on from it, and ends as an unbroken run does
    report : called with each row of the history

    Returns
    -------
    the classifier, in eval mode, and the history: one dict an epoch, keys `HISTORY_COLUMNS`

    Raises
    ------
    ValueError
        If either split is empty, or training leaves the finite numbers.
    """
    if not len(train) or not len(validation):
        raise ValueError(f"training needs patches; train has {len(train)}, validation {len(validation)}")
    place = train.level.device
    model = build_classifier(name, sigmas, seed=settings.seed)
    if start is not None:
        copy_matching_weights(model, start)
    model = model.to(place, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=settings.learning_rate,
        eps=1e-8,
        weight_decay=settings.weight_decay,
        fused=place.type == "cuda",
    )
    stamp = json.dumps(
        [
            name,
            train.digest(),
            validation.digest(),
            asdict(settings),
            start and tensor_digest(*start.state_dict().values()),
        ],
        sort_keys=True,
    )
    best, history = resume_checkpoint(checkpoint, stamp, model, optimizer)
    for row in history:
        report(row)

    for epoch in range(len(history), settings.epochs):
        if _out_of_patience(history, settings.patience):
            break
        torch.manual_seed(hash((settings.seed, epoch)) % 2**31)
        loss, accuracy, rate = _train_epoch(model, optimizer, train, settings, epoch)
        checked = evaluate(model, validation)
        row = {
            "epoch": epoch,
            "learning_rate": rate,
            "train_loss": loss,
            "train_accuracy": accuracy,
            "validation_loss": checked["loss"],
            "validation_accuracy": checked["accuracy"],
        }
        if not math.isfinite(loss + checked["loss"]):
            raise ValueError(
                f"{name}: the loss is {loss} in epoch {epoch}, on the validation patches {checked['loss']}; "
                "lower train.learning_rate"
            )
        if checked["loss"] <= min((r["validation_loss"] for r in history), default=math.inf):
            best = snapshot(model)
        history.append(row)
        save_checkpoint(checkpoint, stamp=stamp, model=model, optimizer=optimizer, best=best, history=history)
        report(row)

    restore_weights(model, best)
    return model.eval(), history


@torch.inference_mode()
def predict_logits(model: Classifier, patches: PatchDataset, *, batch: int = 1024) -> torch.Tensor:
    """Return the logits of all patches, (N, levels) float32 on the processor."""
    model.eval()
    rows = torch.arange(len(patches), device=patches.level.device).split(batch)
    return torch.cat([model(patches.batch(r)[0]).float().cpu() for r in rows])


@torch.inference_mode()
def evaluate(model: Classifier, data: PatchDataset | SceneDataset) -> dict[str, float]:
    """Return mean cross-entropy `loss`, `accuracy` in [0, 1] and `mae_sigma` of the expected sigma."""
    model.eval()
    sums = torch.zeros(3)
    for rows in torch.arange(len(data), device=data.level.device).split(64):
        images, level = data.batch(rows)
        scores = data.answers(model, images)
        error = torch.einsum("nl...,l->n...", scores.softmax(1), model.sigmas) - level_to_sigma(
            level, model.sigmas
        )
        found = (level_cross_entropy(scores, level), level_accuracy(scores, level), error.abs().mean())
        sums += torch.stack(found).cpu() * len(rows)
    return dict(zip(("loss", "accuracy", "mae_sigma"), (sums / len(data)).tolist(), strict=True))


def write_history(history: list[dict], path: str | Path) -> None:
    """Write the history as CSV with the columns `HISTORY_COLUMNS`."""
    with atomic.replacing(path) as part, open(part, "w", newline="") as file:
        table = csv.DictWriter(file, HISTORY_COLUMNS)
        table.writeheader()
        table.writerows(history)


def _train_epoch(model, optimizer, data, settings, epoch):
    model.train()
    place = data.level.device
    order = torch.randperm(len(data)).to(place)
    steps = max(len(data) // settings.batch, 1)
    total, right = torch.zeros((), device=place), torch.zeros((), device=place)
    for step in range(steps):
        rate = _learning_rate(settings, (epoch * steps + step) / (settings.epochs * steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = order[step * settings.batch : (step + 1) * settings.batch]
        images, level = data.batch(rows, settings.augment)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(place.type, torch.bfloat16, enabled=place.type == "cuda"):
            scores = data.answers(model, images)
            loss = level_cross_entropy(scores, level)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.detach()
        right += level_accuracy(scores.detach(), level)
    return float(total / steps), float(right / steps), rate


def _learning_rate(settings: TrainConfig, done: float) -> float:
    if settings.schedule == "constant":
        return settings.learning_rate
    warm = min(1.0, (done + 1e-3) / 0.05)
    return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))


def _out_of_patience(history: list[dict], patience: int) -> bool:
    if not patience or len(history) <= patience:
        return False
    losses = [row["validation_loss"] for row in history]
    return min(losses[-patience:]) > min(losses[:-patience])
