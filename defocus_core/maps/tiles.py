"""Run a dense network tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import torch

from defocus_core.maps.config import DEFAULT_CONFIG, MapConfig
from defocus_core.maps.decision import decide_levels
from defocus_core.memory import return_freed_memory
from defocus_core.networks.classifier import Classifier
from defocus_core.networks.dense_network import DenseNetwork
from defocus_core.networks.precision import mixed_precision

TILE_SIDE = (
    1024  # side of a tile of a dense network in pixels, its margin not counted; a multiple of 2 x the coarsest stride
)
Tile = tuple[slice, slice]  # rows and columns


@torch.inference_mode()
def predict_tiled(
    grey: np.ndarray, model: Classifier, *, config: MapConfig = DEFAULT_CONFIG
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every cell of an image with a dense network, tile by tile; equal to the untiled prediction.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]

    Returns
    -------
    sigma (or its logarithm, see `MapConfig`) and certainty in [0, 1], each (ceil(H / cell), ceil(W / cell)) float32
    """
    height, width = grey.shape
    network = model.dense_network
    unit = network.feature_strides[-1]
    if height % unit or width % unit:
        grey = cv2.copyMakeBorder(grey, 0, -height % unit, 0, -width % unit, cv2.BORDER_REFLECT)
    with mixed_precision(model, model.sigmas.device, wanted=config.bfloat16):
        features = _tiled_features(grey, network)
    summary = network.summary(features)
    scale = unit // network.cell
    answers = np.empty((grey.shape[0] // network.cell, grey.shape[1] // network.cell, 2), np.float32)
    margin = math.ceil(network.answer_reach / unit)
    rows, columns = features[-1].shape[2:]
    for inner, outer in _tile_slices(rows, columns, TILE_SIDE // (2 * unit), margin):
        tile = tuple(
            _crop(values, outer, unit // stride)
            for values, stride in zip(features, network.feature_strides, strict=True)
        )
        with mixed_precision(model, model.sigmas.device, wanted=config.bfloat16):
            logits = network.answer(tile, summary)[0]
        answer = np.stack(decide_levels(logits.float(), model.sigmas, config), 2)
        answers[_scale_slice(inner[0], scale), _scale_slice(inner[1], scale)] = answer[
            _inner_slices(inner, outer, scale)
        ]
    del features
    values, certainty = cv2.split(answers[: math.ceil(height / network.cell), : math.ceil(width / network.cell)])
    return values, certainty


def _tiled_features(grey: np.ndarray, network: DenseNetwork) -> tuple[torch.Tensor, ...]:
    image = torch.from_numpy(np.require(grey, requirements=("C", "W")))[None, None]
    unit = network.feature_strides[-1]
    rows, columns = grey.shape[0] // unit, grey.shape[1] // unit
    tiles = list(_tile_slices(rows, columns, TILE_SIDE // unit, math.ceil(network.reach / unit)))
    if len(tiles) == 1:
        return network.features(image)
    scales = [unit // stride for stride in network.feature_strides]
    whole: list[torch.Tensor] = []
    for inner, outer in tiles:
        parts = network.features(_crop(image, outer, unit))
        if not whole:
            whole = [
                part.new_empty(1, part.shape[1], scale * rows, scale * columns)
                for part, scale in zip(parts, scales, strict=True)
            ]
        for part, target, scale in zip(parts, whole, scales, strict=True):
            kept_rows, kept_columns = _inner_slices(inner, outer, scale)
            _crop(target, inner, scale).copy_(part[:, :, kept_rows, kept_columns])
    del parts, part
    return_freed_memory()
    return tuple(whole)


def _tile_slices(height: int, width: int, size: int, margin: int) -> Iterator[tuple[Tile, Tile]]:
    """Yield pairs of (rows, columns) slices: a tile, and the tile with its margin, inside the frame."""
    for top in range(0, height, size):
        for left in range(0, width, size):
            inner = (slice(top, min(top + size, height)), slice(left, min(left + size, width)))
            rows, columns = (
                slice(max(s.start - margin, 0), min(s.stop + margin, length))
                for s, length in zip(inner, (height, width), strict=True)
            )
            yield inner, (rows, columns)


def _crop(values: torch.Tensor, tile: Tile, scale: int) -> torch.Tensor:
    """Return the part of (N, C, rows, columns) under a tile, in positions `scale` times finer than the tile's."""
    return values[:, :, _scale_slice(tile[0], scale), _scale_slice(tile[1], scale)]


def _scale_slice(part: slice, scale: int) -> slice:
    return slice(part.start * scale, part.stop * scale)


def _inner_slices(inner: Tile, outer: Tile, scale: int) -> Tile:
    """Return where the inner tile lies within the outer one, in positions `scale` times finer."""
    pairs = zip(inner, outer, strict=True)
    rows, columns = (slice((i.start - o.start) * scale, (i.stop - o.start) * scale) for i, o in pairs)
    return rows, columns
