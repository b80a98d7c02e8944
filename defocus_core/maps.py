"""Image -> defocus map: how blurred each pixel is, as a Gaussian sigma in pixels."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from . import DEFAULT_MODEL, backbones, images
from . import refine as refinement
from .patches import SIZE

STRIP_PIXELS = 1_000_000


@dataclass(frozen=True)
class Settings:
    """How windows become a map.

    Parameters
    ----------
    decision : ``expectation`` of sigma under the network's probabilities, or ``winner``: the sigma
        of the likeliest level, as in the paper
    certainty : weight every window by how sure the network is, ``(1 - H / log levels) ** certainty``
        with H the entropy; 0 weights all the same, as in the paper
    presmooth : sigma of a Gaussian over the image first, against noise (the authors' demo: 1)
    refine : settings of the refinement
    """

    decision: str = "expectation"
    certainty: float = 2.0
    presmooth: float = 0.0
    refine: refinement.Settings = refinement.Settings()

    def __post_init__(self):
        if self.decision not in ("expectation", "winner"):
            raise ValueError(f"no decision {self.decision!r}; known: expectation, winner")


def settings_from(options: dict) -> Settings:
    """Build :class:`Settings` from a mapping such as the workflow's ``maps`` section."""
    known = {key: options[key] for key in ("decision", "certainty", "presmooth") if key in options}
    return Settings(**known, refine=refinement.Settings(**options.get("refinement", {})))


PAPER = Settings(decision="winner", certainty=0.0, refine=refinement.PAPER)
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
    step : pixels from one 32x32 window to the next
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
    if not 1 <= step <= SIZE:
        raise ValueError(f"step is 1 to {SIZE} pixels (windows must touch), not {step}")
    model = model if isinstance(model, backbones.Classifier) else _loaded(model or DEFAULT_MODEL)
    image = images.as_float(image)
    if image.ndim == 3:
        image = image[:, :, :3] if image.shape[2] > 1 else image[:, :, 0]
    grey = images.grey(image)
    if settings.presmooth:
        grey = cv2.GaussianBlur(grey, (0, 0), settings.presmooth)
    values, weights = windows(grey, model, step=step, settings=settings)
    sigma = spread(values, weights, step=step, shape=grey.shape)
    if refine:
        sigma = refinement.refine(sigma, image, settings.refine)
    return sigma


def windows(
    grey: np.ndarray, model: backbones.Classifier, *, step: int, settings: Settings = DEFAULT
) -> tuple[np.ndarray, np.ndarray]:
    """Return sigma and weight of every window on the grid.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]; mirrored at its lower right so that windows cover all of it

    Returns
    -------
    sigma and weight, each (rows, columns) float32, rows = max(ceil((H - 32) / step), 0) + 1
    """
    rows, columns = (_count(length, step) for length in grey.shape)
    padding = [
        (n - 1) * step + SIZE - length for n, length in ((rows, grey.shape[0]), (columns, grey.shape[1]))
    ]
    grey = cv2.copyMakeBorder(grey, 0, padding[0], 0, padding[1], cv2.BORDER_REFLECT)
    shared = model.stride is not None and step % model.stride == 0
    answer = _dense_strip if shared else _patch_strip
    height = max(1, STRIP_PIXELS // (grey.shape[1] * step))
    parts = []
    for first in range(0, rows, height):
        last = min(first + height, rows)
        strip = grey[first * step : (last - 1) * step + SIZE]
        parts.append(_decide(answer(strip, model, step), model.sigmas, settings))
    sigma, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sigma, weight


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
    if settings.decision == "winner":
        sigma = sigmas[chances.argmax(0)]
    else:
        sigma = torch.einsum("lrc,l->rc", chances, sigmas)
    if not settings.certainty:
        return sigma.numpy(), np.ones(sigma.shape, np.float32)
    entropy = -(chances * chances.clamp_min(1e-12).log()).sum(0) / math.log(len(sigmas))
    return sigma.numpy(), ((1 - entropy).clamp_min(0) ** settings.certainty).numpy()


def _count(length: int, step: int) -> int:
    return max(math.ceil((length - SIZE) / step), 0) + 1


@functools.lru_cache(maxsize=4)
def _loaded(name_or_file: str) -> backbones.Classifier:
    return backbones.load(name_or_file)
