"""Train a classifier on patches or on scenes: the loop, readable from top to bottom."""

from __future__ import annotations

import contextlib
import copy
import csv
import functools
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from torch import nn

from defocus_core.io import atomic
from defocus_core.networks.classifier import (
    Classifier,
    build_classifier,
    copy_matching_weights,
    restore_weights,
    tensor_digest,
)
from defocus_core.networks.precision import mixed_precision
from defocus_core.networks.small_grids import fast_small_grids
from defocus_core.training.checkpoint import TrainingState, snapshot
from defocus_core.training.config import TrainConfig
from defocus_core.training.datasets import PatchDataset, SceneDataset
from defocus_core.training.losses import level_accuracy, level_cross_entropy, level_to_sigma
from defocus_core.training.muon import Muon
from defocus_core.training.ranks import (
    average_over_ranks,
    joint_batch_norms,
    part_of_batch,
    rank_index,
    values_of_first_rank,
)
from defocus_core.training.schedule import Plan, learning_rate, plan_steps

HISTORY_COLUMNS = (
    "epoch",
    "patch_steps",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
)
CHECKPOINT_SECONDS = 180.0


def default_device() -> torch.device:
    """Return the graphics processor where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(
    name: str,
    *,
    sigmas: np.ndarray,
    train: PatchDataset | SceneDataset,
    validation: PatchDataset | SceneDataset,
    config: TrainConfig,
    seed: int = 0,
    start: Classifier | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    report: Callable[[dict], None] = lambda row: None,
) -> tuple[Classifier, list[dict]]:
    """Train a network and return it at its best validation loss.

    Torch's global random state is left as it was. Where several processes have joined (`joined_ranks`), each takes its
    part of every batch, all return the same, and the first keeps the checkpoint.

    Parameters
    ----------
    name : one of `backbone_names`
    sigmas : (levels,) true sigma of each level, in pixels
    train, validation : patches, or scenes for a dense network, on the device to train on
    config : how to train
    seed : of initial weights, order and augmentation
    start : network whose layers of the same shape are where this one starts
    checkpoint : file for the state of the training; a run that finds the file of a run of the same settings goes on
        from there, and ends as an unbroken run does
    checkpoint_seconds : between two states; every row of the history has one besides
    report : called with each row of the history

    Returns
    -------
    the classifier, in eval mode, and the history: one dict an epoch, or a twentieth of the patch-steps, with the keys
    `HISTORY_COLUMNS`

    Raises
    ------
    ValueError
        If either split is empty, the start shares no layer, the loss is no finite number, or a batch cannot be
        divided among the processes.
    """
    if not len(train) or not len(validation):
        raise ValueError(f"training needs patches; train has {len(train)}, validation {len(validation)}")
    device = train.level.device
    model = _initial_network(name, sigmas, start=start, config=config, seed=seed).to(device)
    plan = plan_steps(len(train), batch=config.batch, epochs=config.epochs, patch_steps=config.patch_steps)
    stamp = _stamp(name, train, validation, config=config, seed=seed, start=start)
    validation = validation.sample(config.validation_patches)
    state = _initial_state(model, config)
    evaluated = state.networks.get("average", model)
    if checkpoint is not None:
        state.resume(checkpoint, stamp=stamp)
    if rank_index():  # the first process writes for all
        checkpoint = None
    for row in state.history:
        report(row)

    norms = joint_batch_norms if config.joint_batch_norms else contextlib.nullcontext
    saved = time.monotonic()
    generator = torch.Generator(device)
    with torch.random.fork_rng(), fast_small_grids(model.train()), norms(model):
        while state.step < plan.steps and not _out_of_patience(state.history, config.patience):
            rate = _advance(state, train, plan, config, generator=generator, seed=seed)
            row_ended = state.step in plan.row_ends
            if row_ended:
                validated = values_of_first_rank(evaluate(evaluated, validation))
                _end_row(state, plan, config, rate=rate, evaluated=evaluated, validated=validated)
                model.train()
            if checkpoint is not None and (row_ended or time.monotonic() - saved >= checkpoint_seconds):
                state.save(checkpoint, stamp=stamp)
                saved = time.monotonic()
            if row_ended:
                report(state.history[-1])

    restore_weights(model, state.best)
    return model.eval(), state.history


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
        logits = data.logits(model, images)
        error = torch.einsum("nl...,l->n...", logits.softmax(1), model.sigmas) - level_to_sigma(level, model.sigmas)
        found = (level_cross_entropy(logits, level), level_accuracy(logits, level), error.abs().mean())
        sums += torch.stack(found).cpu() * len(rows)
    return dict(zip(("loss", "accuracy", "mae_sigma"), (sums / len(data)).tolist(), strict=True))


def write_history(history: list[dict], path: str | Path) -> None:
    """Write the history as CSV with the columns `HISTORY_COLUMNS`."""
    with atomic.replacing(path) as part, open(part, "w", newline="") as file:
        table = csv.DictWriter(file, HISTORY_COLUMNS)
        table.writeheader()
        table.writerows(history)


def _initial_network(
    name: str, sigmas: np.ndarray, *, start: Classifier | None, config: TrainConfig, seed: int
) -> Classifier:
    """Build the network that a training starts from."""
    model = build_classifier(name, sigmas, seed=seed)
    if start is not None and not copy_matching_weights(model, start):
        raise ValueError(f"{name} shares no layer with its start {start.name}; start from another network")
    _configure_layers(model, config)
    return model.to(memory_format=torch.channels_last)


def _initial_state(model: Classifier, config: TrainConfig) -> TrainingState:
    average = {"average": copy.deepcopy(model)} if config.ema else {}
    return TrainingState(
        networks={"model": model, **average},
        optimizer=_optimizer(model, config),
        best=snapshot(model),
        sums=torch.zeros(2, device=next(model.parameters()).device),
    )


def _advance(
    state: TrainingState,
    data: PatchDataset | SceneDataset,
    plan: Plan,
    config: TrainConfig,
    *,
    generator: torch.Generator,
    seed: int,
) -> float:
    """Take the next step, whose random numbers follow from its index; return the learning rate."""
    model = state.networks["model"]
    torch.manual_seed(_derived_seed(seed, state.step))  # dropout
    generator.manual_seed(_derived_seed(seed, state.step))
    rate = learning_rate(config.schedule, state.step / plan.steps, peak=config.learning_rate)
    rows = _rows(data, state.step, plan, seed)
    batch = data.batch(rows, config.augment, generator)
    state.sums += _take_step(model, state.optimizer, data, batch, rate=rate, bfloat16=config.bfloat16)
    state.step += 1
    if "average" in state.networks:
        _update_average(state.networks["average"], model, decay=config.ema, step=state.step)
    return rate


def _optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    fused = next(model.parameters()).device.type == "cuda"
    if config.optimizer == "muon":
        return Muon(model, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
    return torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, eps=1e-8, weight_decay=config.weight_decay, fused=fused
    )


def _stamp(
    name: str,
    train: PatchDataset | SceneDataset,
    validation: PatchDataset | SceneDataset,
    *,
    config: TrainConfig,
    seed: int,
    start: Classifier | None,
) -> str:
    """Return what tells a training from others, as text."""
    weights = start and tensor_digest(*start.state_dict().values())
    facts = [name, train.digest(), validation.digest(), config.model_dump(exclude_defaults=True), seed, weights]
    return json.dumps(facts, sort_keys=True)


class _Dropping(Protocol):
    p: float


def _configure_layers(model: nn.Module, config: TrainConfig) -> None:
    """Set the momentum of batch norms, and switch dropout off, as the configuration says."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d) and config.batch_norm_momentum is not None:
            layer.momentum = config.batch_norm_momentum
        drops = isinstance(layer, nn.Dropout) or type(layer).__name__ == "StochasticDepth"
        if drops and not config.dropout:
            cast("_Dropping", layer).p = 0.0


def _rows(data: PatchDataset | SceneDataset, step: int, plan: Plan, seed: int) -> torch.Tensor:
    """Return the members of the batch of a step: every epoch has an order of its own."""
    epoch, place = divmod(step, plan.steps_per_epoch)
    return _epoch_order(len(data), epoch, seed)[place * plan.batch : (place + 1) * plan.batch].to(data.level.device)


@functools.lru_cache(maxsize=1)
def _epoch_order(count: int, epoch: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(_derived_seed(seed, epoch))
    return torch.randperm(count, generator=generator)


def _derived_seed(seed: int, index: int) -> int:
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])


def _take_step(
    model: Classifier,
    optimizer: torch.optim.Optimizer,
    data: PatchDataset | SceneDataset,
    batch: tuple[torch.Tensor, torch.Tensor],
    *,
    rate: float,
    bfloat16: bool,
) -> torch.Tensor:
    """Take one step of the optimizer; return loss and accuracy of the batch, (2,) float32."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    images, level = map(part_of_batch, batch)
    images = images.contiguous(memory_format=torch.channels_last)
    with mixed_precision(model, images.device, wanted=bfloat16):
        logits = data.logits(model, images)
        loss = level_cross_entropy(logits, level)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    found = torch.stack((loss.detach().float(), level_accuracy(logits.detach(), level)))
    average_over_ranks([found, *(p.grad for p in model.parameters() if p.grad is not None)])
    optimizer.step()
    return found


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, *, decay: float, step: int) -> None:
    """Move the running mean of the weights on; over the first steps it is nearly the plain mean."""
    fraction = 1 - min(decay, step / (step + 9))
    theirs = model.state_dict()
    for key, mine in average.state_dict().items():
        if mine.is_floating_point():
            mine.lerp_(theirs[key], fraction)
        else:
            mine.copy_(theirs[key])


def _end_row(
    state: TrainingState,
    plan: Plan,
    config: TrainConfig,
    *,
    rate: float,
    evaluated: nn.Module,
    validated: dict[str, float],
) -> None:
    """Append a row to the history, and keep the weights where they are the best so far."""
    begin = plan.row_ends[len(state.history) - 1] if state.history else 0
    loss, accuracy = (state.sums / (state.step - begin)).tolist()
    fraction = round(state.step / plan.steps_per_epoch, 3)
    row = {
        "epoch": len(state.history) if config.epochs is not None else fraction,
        "patch_steps": state.step * plan.batch,
        "learning_rate": rate,
        "train_loss": loss,
        "train_accuracy": accuracy,
        "validation_loss": validated["loss"],
        "validation_accuracy": validated["accuracy"],
    }
    if not math.isfinite(loss + validated["loss"]):
        raise ValueError(
            f"the loss is {loss} in epoch {row['epoch']}, on the validation patches {validated['loss']}; "
            "lower train.learning_rate"
        )
    if validated["loss"] <= min((r["validation_loss"] for r in state.history), default=math.inf):
        state.best = snapshot(evaluated)
    state.history.append(row)
    state.sums.zero_()


def _out_of_patience(history: list[dict], patience: int) -> bool:
    losses = [row["validation_loss"] for row in history]
    if not patience or len(losses) <= patience:
        return False
    return min(losses[-patience:]) > min(losses[:-patience])
