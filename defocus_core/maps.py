"""Image -> defocus map: how blurred each pixel is, as a Gaussian sigma in pixels."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from . import DEFAULT_MODEL, backbones, images, pyramid
from . import refine as refinement
from .focus import LEAST
from .patches import SIZE

STRIP_PIXELS = 1_000_000
COPIES = 3  # smaller copies at most: what has no texture would seem ever more blurred in more of them
TILE = 1024  # side of a tile of a dense network in pixels, its margin not counted; a multiple of 16


@dataclass(frozen=True)
class Settings:
    """How windows become a map.

    Parameters
    ----------
    decision : ``expectation`` under the network's probabilities, or ``winner``: the likeliest level,
        as in the paper
    certainty : exponent of the certainty of a window, ``1 - H / log levels`` with H the entropy of its
        probabilities, in the mean over the windows that cover a pixel; 0 weights all alike (the paper)
    coarsest : look at ever smaller copies of the photograph too, each half the last, in which a network sees
        twice as far around and twice the blur: at most :data:`COPIES`, as long as a copy's shorter side
        has this many pixels; 0 is at full size alone. What is found blurred there counts beside what is
        found in full size, each by its certainty
    logarithm : take expectations and means and refine in the logarithm of sigma, in which blur is told
        apart evenly; the paper does so in sigma itself
    stretch : look at the photograph as :func:`defocus_core.images.stretched`; the paper takes it as it is
    refine : method and settings of the refinement
    """

    decision: str = "expectation"
    certainty: float = 2.0
    coarsest: int = 40
    logarithm: bool = True
    stretch: bool = True
    refine: refinement.LeastSquares | refinement.Guided = refinement.LeastSquares()

    def __post_init__(self):
        if self.decision not in ("expectation", "winner"):
            raise ValueError(f"no decision {self.decision!r}; known: expectation, winner")
        if not 0 <= self.certainty < np.inf:
            raise ValueError(f"certainty is an exponent from 0 on, not {self.certainty}")
        if self.coarsest < 0:
            raise ValueError(f"coarsest is a number of pixels, or 0 for full size alone, not {self.coarsest}")


def arguments_from(options: dict) -> dict:
    """Return the arguments of :func:`estimate` that the workflow's ``maps`` section stands for."""
    known = {
        key: options[key]
        for key in ("decision", "certainty", "coarsest", "logarithm", "stretch")
        if key in options
    }
    settings = Settings(**known, refine=refinement.settings_from(options.get("refinement", {})))
    return {"step": options["step"], "refine": options["refine"], "settings": settings}


PAPER = Settings(
    decision="winner", certainty=0.0, coarsest=0, logarithm=False, stretch=False, refine=refinement.PAPER
)
DEFAULT = Settings()


def estimate(
    image: np.ndarray,
    *,
    model: backbones.Classifier | str | None = None,
    step: int = 16,
    refine: bool = True,
    settings: Settings = DEFAULT,
) -> np.ndarray:
    """Estimate the defocus map of a photograph.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]; NaN pixels count as black
    model : classifier, or a name or file for :func:`defocus_core.backbones.load`; None is the
        default shipped one
    step : pixels from one 32x32 window to the next; a dense network has no windows and a step of 4
    refine : apply the edge-aware refinement
    settings : see :class:`Settings`

    Returns
    -------
    (H, W) float32, standard deviation in pixels of the Gaussian blur at each pixel, never NaN

    Raises
    ------
    ValueError
        If the image's shape, dtype or range is none of the above, or step is not in 1..32.

    References
    ----------
    Galetto & Deng, The Visual Computer 2022, sections 3.2 (equations 6, 7) and 3.3.
    """
    model = model if isinstance(model, backbones.Classifier) else _loaded(model or DEFAULT_MODEL)
    scales = scales_of(image, model=model, step=step, settings=settings)
    largest = float(model.sigmas[-1])
    values, certainty = pyramid.combined(scales, largest=largest, logarithm=settings.logarithm)
    del scales
    if refine:
        image = images.stretched(image) if settings.stretch else images.as_float(image)
        if image.ndim == 3:
            image = image[:, :, :3] if image.shape[2] > 1 else image[:, :, 0]
        values = refinement.refine(values, image, settings.refine, certainty=certainty)
    if settings.logarithm:
        values = np.exp(values, out=values) - LEAST
    return np.maximum(values, 0, out=values)


def scales_of(
    image: np.ndarray, *, model: backbones.Classifier, step: int = 16, settings: Settings = DEFAULT
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return :func:`found` of a photograph, of half its size, and so on.

    ``model`` is a classifier; the other parameters and the errors are those of :func:`estimate`.
    """
    if not 1 <= step <= SIZE:
        raise ValueError(f"step is 1 to {SIZE} pixels (windows must touch), not {step}")
    grey = images.stretched(images.grey(image)) if settings.stretch else images.grey(image)
    scales = [found(grey, model, step=step, settings=settings)]
    while 0 < settings.coarsest <= min(grey.shape) // 2 and len(scales) <= COPIES:
        grey = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA)
        scales.append(found(grey, model, step=step, settings=settings))
    return scales


def found(
    grey: np.ndarray, model: backbones.Classifier, *, step: int, settings: Settings = DEFAULT
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a network finds at every pixel, and how certain it is.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    step : see :func:`estimate`

    Returns
    -------
    sigma (or its logarithm, see :class:`Settings`) and certainty in [0, 1], each (H, W) float32
    """
    if model.cell is not None:
        return cells(grey, model, settings=settings)
    values, certainty = windows(grey, model, step=step, settings=settings)
    return (
        spread(values, certainty**settings.certainty, step=step, shape=grey.shape),
        spread(certainty, np.ones_like(certainty), step=step, shape=grey.shape),
    )


def read(path: str | Path) -> np.ndarray:
    """Read a defocus map from an ``.npy`` file, (H, W) float32 in pixels.

    Raises
    ------
    ValueError
        If it holds anything but finite numbers from 0 on.
    """
    try:
        sigma = images.read_array(path)
    except ValueError as error:
        raise ValueError(
            f"{path}: not a defocus map, which is an .npy file of numbers (height, width)"
        ) from error
    if not sigma.size or not (np.isfinite(sigma).all() and sigma.min() >= 0):
        raise ValueError(f"{path}: a defocus map holds finite numbers of pixels from 0 on")
    return sigma


def windows(
    grey: np.ndarray, model: backbones.Classifier, *, step: int, settings: Settings = DEFAULT
) -> tuple[np.ndarray, np.ndarray]:
    """Return what every window on the grid says, and how certain it is.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]; mirrored at its lower right so that windows cover all of it

    Returns
    -------
    sigma (or its logarithm, see :class:`Settings`) and certainty in [0, 1], each (rows, columns) float32,
    rows = max(ceil((H - 32) / step), 0) + 1
    """
    rows, columns = (_count(length, step) for length in grey.shape)
    padding = [
        (n - 1) * step + SIZE - length for n, length in ((rows, grey.shape[0]), (columns, grey.shape[1]))
    ]
    grey = cv2.copyMakeBorder(grey, 0, padding[0], 0, padding[1], cv2.BORDER_REFLECT)
    shared = model.stride is not None and step % model.stride == 0
    answer = _dense_strip if shared else _patch_strip
    # a strip is bounded by its pixels where windows share them, and by its windows where each has its own
    height = max(1, STRIP_PIXELS // (grey.shape[1] * step if shared else columns * SIZE))
    parts = []
    for first in range(0, rows, height):
        last = min(first + height, rows)
        strip = grey[first * step : (last - 1) * step + SIZE]
        parts.append(_decide(answer(strip, model, step), model.sigmas, settings))
    values, certainty = (np.concatenate(part) for part in zip(*parts, strict=True))
    return values, certainty


def spread(values: np.ndarray, weights: np.ndarray, *, step: int, shape: tuple[int, int]) -> np.ndarray:
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
    total = _cover(values * weights, step, shape)
    return total / _cover(weights, step, shape)


def _cover(grid: np.ndarray, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Add the value of every window to each pixel under it."""
    tall = _cover_axis(grid, step, shape[0])
    return np.ascontiguousarray(_cover_axis(tall.T, step, shape[1]).T)


def _cover_axis(grid: np.ndarray, step: int, length: int) -> np.ndarray:
    sums = np.concatenate([np.zeros_like(grid[:1]), np.cumsum(grid, 0, dtype=np.float64)])
    pixel = np.arange(length)
    last = np.minimum(pixel // step, len(grid) - 1)
    first = np.maximum(-(-(pixel - SIZE + 1) // step), 0)
    return (sums[last + 1] - sums[first]).astype(np.float32)


@torch.inference_mode()
def cells(
    grey: np.ndarray, model: backbones.Classifier, *, settings: Settings = DEFAULT
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a dense network says of every pixel, tile by tile, equal to the untiled answer.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]

    Returns
    -------
    sigma (or its logarithm, see :class:`Settings`) and certainty in [0, 1], each (H, W) float32
    """
    height, width = grey.shape
    if height % 8 or width % 8:
        grey = cv2.copyMakeBorder(grey, 0, -height % 8, 0, -width % 8, cv2.BORDER_REFLECT)
    fine, coarse = _tiled_features(grey, model)
    whole = coarse.mean((2, 3), keepdim=True)
    answers = np.empty((grey.shape[0] // model.cell, grey.shape[1] // model.cell, 2), np.float32)
    for inner, outer in _tiles(*coarse.shape[2:], TILE // 16, 8):
        logits = model.network.answer(
            fine[:, :, _scaled(outer[0], 2), _scaled(outer[1], 2)], coarse[:, :, outer[0], outer[1]], whole
        )[0]
        answer = np.stack(_decide(logits, model.sigmas, settings), 2)
        answers[_scaled(inner[0], 2), _scaled(inner[1], 2)] = answer[_inside(inner, outer, 2)]
    del fine, coarse
    pair = [cv2.resize(answer, grey.shape[::-1]) for answer in cv2.split(answers)]
    values, certainty = (answer[:height, :width] for answer in pair)
    return values, certainty


def _tiled_features(grey: np.ndarray, model: backbones.Classifier) -> tuple[torch.Tensor, torch.Tensor]:
    image = torch.from_numpy(grey)[None, None]
    tiles = list(_tiles(grey.shape[0] // 8, grey.shape[1] // 8, TILE // 8, model.network.reach // 8))
    if len(tiles) == 1:
        return model.network.features((image - 0.5) / 0.25)
    kept = None
    for inner, outer in tiles:
        tile = image[:, :, _scaled(outer[0], 8), _scaled(outer[1], 8)]
        parts = model.network.features((tile - 0.5) / 0.25)
        if kept is None:
            scales = (2, 1)
            sizes = [(s * grey.shape[0] // 8, s * grey.shape[1] // 8) for s in scales]
            kept = [part.new_empty(1, part.shape[1], *size) for part, size in zip(parts, sizes, strict=True)]
        for part, whole, scale in zip(parts, kept, scales, strict=True):
            rows, columns = _inside(inner, outer, scale)
            whole[:, :, _scaled(inner[0], scale), _scaled(inner[1], scale)] = part[:, :, rows, columns]
    return kept[0], kept[1]


def _tiles(height: int, width: int, size: int, margin: int):
    """Yield pairs of (rows, columns) slices: a tile, and the tile with its margin, inside the frame."""
    for top in range(0, height, size):
        for left in range(0, width, size):
            inner = (slice(top, min(top + size, height)), slice(left, min(left + size, width)))
            outer = tuple(
                slice(max(s.start - margin, 0), min(s.stop + margin, length))
                for s, length in zip(inner, (height, width), strict=True)
            )
            yield inner, outer


def _scaled(part: slice, scale: int) -> slice:
    return slice(part.start * scale, part.stop * scale)


def _inside(inner, outer, scale: int) -> tuple[slice, slice]:
    """Return where the inner tile lies within the outer one, in cells ``scale`` times finer."""
    pairs = zip(inner, outer, strict=True)
    rows, columns = (slice((i.start - o.start) * scale, (i.stop - o.start) * scale) for i, o in pairs)
    return rows, columns


@torch.inference_mode()
def _dense_strip(strip: np.ndarray, model: backbones.Classifier, step: int) -> torch.Tensor:
    return model.dense(torch.from_numpy(strip)[None, None], step=step)[0]


@torch.inference_mode()
def _patch_strip(strip: np.ndarray, model: backbones.Classifier, step: int) -> torch.Tensor:
    views = torch.from_numpy(strip).unfold(0, SIZE, step).unfold(1, SIZE, step)
    rows, columns = views.shape[:2]
    patches = views.reshape(-1, 1, SIZE, SIZE)
    logits = torch.cat([model(part) for part in patches.split(256)])
    return logits.T.reshape(-1, rows, columns)


def _decide(logits: torch.Tensor, sigmas: torch.Tensor, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    chances = logits.softmax(0)
    levels = (sigmas + LEAST).log() if settings.logarithm else sigmas
    if settings.decision == "winner":
        values = levels[chances.argmax(0)]
    else:
        values = torch.einsum("lrc,l->rc", chances, levels)
    entropy = -(chances * chances.clamp_min(1e-12).log()).sum(0) / math.log(len(sigmas))
    return values.numpy(), (1 - entropy).clamp_min(0).numpy()


def _count(length: int, step: int) -> int:
    return max(math.ceil((length - SIZE) / step), 0) + 1


@functools.lru_cache(maxsize=4)
def _loaded(name_or_file: str) -> backbones.Classifier:
    return backbones.load(name_or_file)
