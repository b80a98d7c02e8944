"""Train a classifier on patches or on scenes: the loop, readable from top to bottom."""

from __future__ import annotations

import copy
import csv
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional

from . import atomic, augmentation, backbones
from .training_data import Patches, Scenes, digest

HISTORY = ("epoch", "learning_rate", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    epochs : passes over the training patches
    batch : patches a step
    learning_rate : of Adam (betas 0.9, 0.999, eps 1e-8, as in the paper)
    schedule : ``constant`` (the paper's) or ``cosine`` with a warm-up of 5 % of the steps
    weight_decay : decoupled (AdamW) where above 0
    patience : epochs without a better validation loss before stopping; 0 never stops early
    augment : ranges of the augmentations, see :class:`defocus_core.augmentation.Ranges`
    seed : of initial weights, order and augmentation
    """

    epochs: int = 100
    batch: int = 128
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.0
    patience: int = 0
    augment: augmentation.Ranges = augmentation.Ranges()
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


def settings_from(options: dict, *, seed: int) -> Settings:
    """Build :class:`Settings` from a mapping such as the workflow's ``train`` section."""
    options = dict(options)
    ranges = augmentation.Ranges(**options.pop("augment", {}))
    return replace(Settings(**options), augment=ranges, seed=seed)


def device() -> torch.device:
    """Return the graphics processor where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(
    name: str,
    *,
    sigmas,
    train: Patches | Scenes,
    validation: Patches | Scenes,
    settings: Settings,
    start: backbones.Classifier | None = None,
    checkpoint: str | Path | None = None,
    report: Callable[[dict], None] = lambda row: None,
) -> tuple[backbones.Classifier, list[dict]]:
    """Train a backbone and return it at its best validation loss.

    Parameters
    ----------
    name : one of :func:`defocus_core.networks.names`
    sigmas : (levels,) true sigma of each level, in pixels
    train, validation : patches, or scenes for a dense network, on the device to train on
    settings : see :class:`Settings`
    start : network whose layers of the same shape are where this one starts
    checkpoint : file that holds the state after every epoch; a run that finds one made with the
        same settings goes on from it, and ends as an unbroken run does
    report : called with each row of the history

    Returns
    -------
    the classifier, in eval mode, and the history: one dict an epoch, keys :data:`HISTORY`

    Raises
    ------
    ValueError
        If either split is empty, or training leaves the finite numbers.
    """
    if not len(train) or not len(validation):
        raise ValueError(f"training needs patches; train has {len(train)}, validation {len(validation)}")
    place = train.level.device
    model = backbones.build(name, sigmas, seed=settings.seed)
    if start is not None:
        backbones.inherit(model, start)
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
            start and digest(*start.state_dict().values()),
        ],
        sort_keys=True,
    )
    best, history = _resume(checkpoint, stamp, model, optimizer)
    for row in history:
        report(row)

    for epoch in range(len(history), settings.epochs):
        if _out_of_patience(history, settings.patience):
            break
        torch.manual_seed(hash((settings.seed, epoch)) % 2**31)
        loss, accuracy, rate = _epoch(model, optimizer, train, settings, epoch)
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
            best = _state(model)
        history.append(row)
        _keep(checkpoint, stamp=stamp, model=model, optimizer=optimizer, best=best, history=history)
        report(row)

    backbones.restore(model, best)
    return model.eval(), history


@torch.no_grad()
def averaged(
    start: backbones.Classifier,
    end: backbones.Classifier,
    data: Patches | Scenes,
    *,
    settings: Settings,
    share: float = 0.5,
    count: int = 1024,
) -> backbones.Classifier:
    """Return the network between where a training started and where it ended.

    On photographs unlike the training data the mean of the weights answers better than either end. The
    statistics of its batch norms are not the mean of theirs: they are measured anew.

    Parameters
    ----------
    start, end : trained classifiers of one kind
    data : what the second was trained on; its first ``count`` members give the statistics
    settings : of the training: batch, augmentation and seed
    share : of the start in the weights, 0 to 1

    Returns
    -------
    the classifier, in eval mode

    References
    ----------
    Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022; Izmailov et al., Averaging weights
    leads to wider optima, UAI 2018 (statistics).
    """
    model = copy.deepcopy(end).train()
    theirs, state = start.state_dict(), model.state_dict()
    for key, value in state.items():
        if value.is_floating_point():
            value.lerp_(theirs[key].to(value), share)
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
    torch.manual_seed(settings.seed)
    for rows in torch.arange(min(count, len(data)), device=data.level.device).split(settings.batch):
        data.answers(model, data.batch(rows, settings.augment)[0])
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model.eval()


@torch.inference_mode()
def logits(model: backbones.Classifier, patches: Patches, *, batch: int = 1024) -> torch.Tensor:
    """Return the logits of all patches, (N, levels) float32 on the processor."""
    model.eval()
    rows = torch.arange(len(patches), device=patches.level.device).split(batch)
    return torch.cat([model(patches.batch(r)[0]).float().cpu() for r in rows])


@torch.inference_mode()
def evaluate(model: backbones.Classifier, data: Patches | Scenes) -> dict[str, float]:
    """Return mean cross-entropy ``loss``, ``accuracy`` in [0, 1] and ``mae_sigma`` of the expected sigma."""
    model.eval()
    sums = torch.zeros(3)
    for rows in torch.arange(len(data), device=data.level.device).split(64):
        images, level = data.batch(rows)
        scores = data.answers(model, images)
        error = torch.einsum("nl...,l->n...", scores.softmax(1), model.sigmas) - _sigma_of(
            level, model.sigmas
        )
        found = (_loss(scores, level), _right(scores, level), error.abs().mean())
        sums += torch.stack(found).cpu() * len(rows)
    return dict(zip(("loss", "accuracy", "mae_sigma"), (sums / len(data)).tolist(), strict=True))


def write_history(history: list[dict], path: str | Path) -> None:
    """Write the history as CSV with the columns :data:`HISTORY`."""
    with atomic.replacing(path) as part, open(part, "w", newline="") as file:
        table = csv.DictWriter(file, HISTORY)
        table.writeheader()
        table.writerows(history)


def _epoch(model, optimizer, data, settings, epoch):
    model.train()
    place = data.level.device
    order = torch.randperm(len(data)).to(place)
    steps = max(len(data) // settings.batch, 1)
    total, right = torch.zeros((), device=place), torch.zeros((), device=place)
    for step in range(steps):
        rate = _rate(settings, (epoch * steps + step) / (settings.epochs * steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = order[step * settings.batch : (step + 1) * settings.batch]
        images, level = data.batch(rows, settings.augment)
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(place.type, torch.bfloat16, enabled=place.type == "cuda"):
            scores = data.answers(model, images)
            loss = _loss(scores, level)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.detach()
        right += _right(scores.detach(), level)
    return float(total / steps), float(right / steps), rate


def _loss(scores: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """Cross-entropy; a level between two shares its weight between them."""
    if not level.is_floating_point():
        return functional.cross_entropy(scores, level)
    lower = level.floor().long().clamp(max=scores.shape[1] - 2)
    share = level - lower
    chances = scores.log_softmax(1)
    below, above = (chances.gather(1, index.unsqueeze(1)).squeeze(1) for index in (lower, lower + 1))
    return -((1 - share) * below + share * above).mean()


def _right(scores: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    return (scores.argmax(1) == level.round()).float().mean()


def _sigma_of(level: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    """Return the sigma of whole levels, or of levels between two by the logarithm."""
    if not level.is_floating_point():
        return sigmas[level]
    logs = sigmas.log()
    lower = level.floor().long().clamp(max=len(sigmas) - 2)
    return (logs[lower] + (level - lower) * (logs[lower + 1] - logs[lower])).exp()


def _rate(settings: Settings, done: float) -> float:
    if settings.schedule == "constant":
        return settings.learning_rate
    warm = min(1.0, (done + 1e-3) / 0.05)
    return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))


def _out_of_patience(history: list[dict], patience: int) -> bool:
    if not patience or len(history) <= patience:
        return False
    losses = [row["validation_loss"] for row in history]
    return min(losses[-patience:]) > min(losses[:-patience])


def _state(model) -> dict[str, torch.Tensor]:
    return {key: value.detach().clone() for key, value in model.state_dict().items()}


def _keep(checkpoint, *, stamp, model, optimizer, best, history) -> None:
    if checkpoint is None:
        return
    tensors = {f"model/{key}": value for key, value in _state(model).items()}
    tensors |= {f"best/{key}": value for key, value in best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{key}": value for key, value in state.items()}
    tensors = {key: value.contiguous() for key, value in tensors.items()}
    with atomic.replacing(checkpoint) as part:
        safetensors.torch.save_file(tensors, part, {"stamp": stamp, "history": json.dumps(history)})


def _resume(checkpoint, stamp, model, optimizer) -> tuple[dict, list[dict]]:
    """Load the state that an interrupted run left, if it was the same run."""
    fresh = _state(model), []
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
    backbones.restore(model, _under(tensors, "model/"))
    state = optimizer.state_dict()
    for key, value in _under(tensors, "optimizer/").items():
        index, field = key.split("/")
        state["state"].setdefault(int(index), {})[field] = value
    optimizer.load_state_dict(state)
    return _under(tensors, "best/"), json.loads(header["history"])


def _under(tensors: dict, prefix: str) -> dict:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
