"""Classify sliding windows and average where they overlap."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch

from defocus_core.constants import PATCH_SIZE
from defocus_core.maps.config import DEFAULT_CONFIG, MapConfig
from defocus_core.maps.decision import decide_levels
from defocus_core.networks.classifier import Classifier

STRIP_PIXELS = 1_000_000


def predict_windows(
    grey: np.ndarray, model: Classifier, *, step: int, config: MapConfig = DEFAULT_CONFIG
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every window on the grid, with its certainty.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]; mirrored at its lower right so that windows cover all of it

    Returns
    -------
    sigma (or its logarithm, see `MapConfig`) and certainty in [0, 1], each (rows, columns) float32,
    rows = max(ceil((H - 32) / step), 0) + 1
    """
    rows, columns = (_window_count(length, step) for length in grey.shape)
    padding = [(n - 1) * step + PATCH_SIZE - length for n, length in ((rows, grey.shape[0]), (columns, grey.shape[1]))]
    grey = cv2.copyMakeBorder(grey, 0, padding[0], 0, padding[1], cv2.BORDER_REFLECT)
    shared = model.stride is not None and step % model.stride == 0
    answer = _dense_strip if shared else _patch_strip
    # a strip is bounded by its pixels where windows share them, and by its windows where each has its own
    height = max(1, STRIP_PIXELS // (grey.shape[1] * step if shared else columns * PATCH_SIZE))
    parts = []
    for first in range(0, rows, height):
        last = min(first + height, rows)
        strip = grey[first * step : (last - 1) * step + PATCH_SIZE]
        parts.append(decide_levels(answer(strip, model, step), model.sigmas, config))
    values, certainty = (np.concatenate(part) for part in zip(*parts, strict=True))
    return values, certainty


def overlap_average(values: np.ndarray, weights: np.ndarray, *, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Return the weighted mean, at every pixel, of the windows that cover it (equations 6 and 7).

    Parameters
    ----------
    values, weights : (rows, columns) float32 of the windows
    step : pixels between windows
    shape : (H, W) of the map

    Returns
    -------
    (H, W) float32
    """
    weights = np.maximum(weights, np.float32(1e-6))
    total = _window_sums(values * weights, step, shape)
    return total / _window_sums(weights, step, shape)


def _window_sums(grid: np.ndarray, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Add the value of every window to each pixel under it."""
    tall = _window_sums_along(grid, step, shape[0])
    return np.ascontiguousarray(_window_sums_along(tall.T, step, shape[1]).T)


def _window_sums_along(grid: np.ndarray, step: int, length: int) -> np.ndarray:
    sums = np.concatenate([np.zeros_like(grid[:1]), np.cumsum(grid, 0, dtype=np.float64)])
    pixel = np.arange(length)
    last = np.minimum(pixel // step, len(grid) - 1)
    first = np.maximum(-(-(pixel - PATCH_SIZE + 1) // step), 0)
    return (sums[last + 1] - sums[first]).astype(np.float32)


@torch.inference_mode()
def _dense_strip(strip: np.ndarray, model: Classifier, step: int) -> torch.Tensor:
    return model.dense(torch.from_numpy(strip)[None, None], step=step)[0]


@torch.inference_mode()
def _patch_strip(strip: np.ndarray, model: Classifier, step: int) -> torch.Tensor:
    views = torch.from_numpy(strip).unfold(0, PATCH_SIZE, step).unfold(1, PATCH_SIZE, step)
    rows, columns = views.shape[:2]
    patches = views.reshape(-1, 1, PATCH_SIZE, PATCH_SIZE)
    logits = torch.cat([model(part) for part in patches.split(256)])
    return logits.T.reshape(-1, rows, columns)


def _window_count(length: int, step: int) -> int:
    return max(math.ceil((length - PATCH_SIZE) / step), 0) + 1
