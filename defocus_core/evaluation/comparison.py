"""What a backbone costs, and the table that sets measured beside published accuracy."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from defocus_core.constants import PATCH_SIZE
from defocus_core.evaluation.metrics import classification_scores, move_to_levels
from defocus_core.networks.classifier import Classifier
from defocus_core.networks.storage import load_model
from defocus_core.training.datasets import PatchDataset
from defocus_core.training.loop import predict_logits

PUBLISHED = {  # Galetto & Deng 2022, tables 2 and 4: test accuracy, file size in MB
    "mobilenet_v2": (0.9704, 28),
    "efficientnet_b0": (0.9798, 49),
    "nasnet_mobile": (0.9582, 55),
    "densenet121": (0.905, 86),
    "shufflenet_v2": (0.6902, 33),
}
COST_LABELS = {  # of `measure_cost`, that accuracy is drawn against
    "latency_batch_ms": "milliseconds a patch, in a batch",
    "parameters": "parameters",
    "peak_mb": "peak memory of the process, MB",
}


def measure_cost(path: str | Path, *, batch: int = 128, repeats: int = 5) -> dict[str, float]:
    """Measure the cost of running a trained classifier on this machine's processor.

    Call it in a process of its own: the peak memory is the process's.

    Parameters
    ----------
    path : `.safetensors` file
    batch : patches of the batch that is timed
    repeats : timings, of which the least counts

    Returns
    -------
    dict with `parameters`, `macs` (multiply-adds a patch), `megabytes` (file), `latency_one_ms`,
    `latency_batch_ms` (a patch, in a batch), `peak_mb` (process) and `threads`
    """
    model = load_model(path, folded=False)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        model(torch.rand(1, 1, PATCH_SIZE, PATCH_SIZE))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "macs": counter.get_total_flops() // 2,
        "megabytes": round(Path(path).stat().st_size / 1e6, 3),
        "latency_one_ms": _time_forward(model, 1, repeats) * 1e3,
        "latency_batch_ms": _time_forward(model, batch, repeats) / batch * 1e3,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "threads": torch.get_num_threads(),
    }


def comparison_table(
    scores: dict[str, dict], costs: dict[str, dict], *, patch_steps: dict[str, int] | None = None
) -> pd.DataFrame:
    """Join the scores and costs of models into one table, best accuracy first.

    Parameters
    ----------
    scores : model -> result of `classification_scores`; a name starts with that of its network
    costs : model -> result of `measure_cost`
    patch_steps : model -> patches that it saw in its training here; none of a model in the package
    """
    columns = ("accuracy", "within_one", "mae_sigma", "mae_sigma_expected")
    rows = [
        {
            "model": name,
            **{column: scores[name][column] for column in columns},
            "patch_steps": (patch_steps or {}).get(name),
            "published_accuracy": PUBLISHED.get(name.split()[0], (None, None))[0],
            "published_megabytes": PUBLISHED.get(name.split()[0], (None, None))[1],
            **costs[name],
        }
        for name in scores
    ]
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, ignore_index=True)


def score_classifier(model: Classifier, columns: dict[str, np.ndarray]) -> dict:
    """Score a classifier on patches; one of other levels answers with the nearest.

    Parameters
    ----------
    model : in eval mode, on the device to run on
    columns : of a patch file, see `read_patches`

    Returns
    -------
    dict of `classification_scores`
    """
    device = model.sigmas.device
    logits = predict_logits(model, PatchDataset.of(columns, device)).numpy()
    logits = move_to_levels(logits, model.sigmas.cpu().numpy(), columns["sigmas"])
    return classification_scores(logits, columns["level"], columns["sigmas"])


@torch.inference_mode()
def _time_forward(model: nn.Module, batch: int, repeats: int) -> float:
    patches = torch.rand(batch, 1, PATCH_SIZE, PATCH_SIZE)
    model(patches)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        model(patches)
        times.append(time.perf_counter() - start)
    return min(times)
