"""Run a dense network tile by tile."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from defocus_core.maps.config import DEFAULT_CONFIG, MapConfig
from defocus_core.maps.decision import decide_levels
from defocus_core.networks.classifier import Classifier

TILE_SIDE = 1024  # side of a tile of a dense network in pixels, its margin not counted; a multiple of 16


@torch.inference_mode()
def predict_tiled(
    grey: np.ndarray, model: Classifier, *, settings: MapConfig = DEFAULT_CONFIG
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a dense network says of every pixel, tile by tile, equal to the untiled answer.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]

    Returns
    -------
    sigma (or its logarithm, see `MapConfig`) and certainty in [0, 1], each (H, W) float32
    """
    height, width = grey.shape
    if height % 8 or width % 8:
        grey = cv2.copyMakeBorder(grey, 0, -height % 8, 0, -width % 8, cv2.BORDER_REFLECT)
    fine, coarse = _tiled_features(grey, model)
    whole = coarse.mean((2, 3), keepdim=True)
    answers = np.empty((grey.shape[0] // model.cell, grey.shape[1] // model.cell, 2), np.float32)
    for inner, outer in _tile_slices(*coarse.shape[2:], TILE_SIDE // 16, 8):
        logits = model.network.answer(
            fine[:, :, _scale_slice(outer[0], 2), _scale_slice(outer[1], 2)],
            coarse[:, :, outer[0], outer[1]],
            whole,
        )[0]
        answer = np.stack(decide_levels(logits, model.sigmas, settings), 2)
        answers[_scale_slice(inner[0], 2), _scale_slice(inner[1], 2)] = answer[_inner_slices(inner, outer, 2)]
    del fine, coarse
    pair = [cv2.resize(answer, grey.shape[::-1]) for answer in cv2.split(answers)]
    values, certainty = (answer[:height, :width] for answer in pair)
    return values, certainty


def _tiled_features(grey: np.ndarray, model: Classifier) -> tuple[torch.Tensor, torch.Tensor]:
    image = torch.from_numpy(grey)[None, None]
    tiles = list(
        _tile_slices(grey.shape[0] // 8, grey.shape[1] // 8, TILE_SIDE // 8, model.network.reach // 8)
    )
    if len(tiles) == 1:
        return model.network.features((image - 0.5) / 0.25)
    kept = None
    for inner, outer in tiles:
        tile = image[:, :, _scale_slice(outer[0], 8), _scale_slice(outer[1], 8)]
        parts = model.network.features((tile - 0.5) / 0.25)
        if kept is None:
            scales = (2, 1)
            sizes = [(s * grey.shape[0] // 8, s * grey.shape[1] // 8) for s in scales]
            kept = [part.new_empty(1, part.shape[1], *size) for part, size in zip(parts, sizes, strict=True)]
        for part, whole, scale in zip(parts, kept, scales, strict=True):
            rows, columns = _inner_slices(inner, outer, scale)
            whole[:, :, _scale_slice(inner[0], scale), _scale_slice(inner[1], scale)] = part[
                :, :, rows, columns
            ]
    return kept[0], kept[1]


def _tile_slices(height: int, width: int, size: int, margin: int):
    """Yield pairs of (rows, columns) slices: a tile, and the tile with its margin, inside the frame."""
    for top in range(0, height, size):
        for left in range(0, width, size):
            inner = (slice(top, min(top + size, height)), slice(left, min(left + size, width)))
            outer = tuple(
                slice(max(s.start - margin, 0), min(s.stop + margin, length))
                for s, length in zip(inner, (height, width), strict=True)
            )
            yield inner, outer


def _scale_slice(part: slice, scale: int) -> slice:
    return slice(part.start * scale, part.stop * scale)


def _inner_slices(inner, outer, scale: int) -> tuple[slice, slice]:
    """Return where the inner tile lies within the outer one, in cells `scale` times finer."""
    pairs = zip(inner, outer, strict=True)
    rows, columns = (slice((i.start - o.start) * scale, (i.stop - o.start) * scale) for i, o in pairs)
    return rows, columns
