"""Estimate the defocus map of a photograph."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from defocus_core.blur.sigma_scale import MIN_SIGMA
from defocus_core.constants import DEFAULT_MODEL, PATCH_SIZE
from defocus_core.io.color import as_float, stretch_contrast, to_grey
from defocus_core.maps.config import DEFAULT_CONFIG, MapConfig
from defocus_core.maps.pyramid import merge_levels
from defocus_core.maps.refine.refinement import refine_map
from defocus_core.maps.tiles import predict_tiled
from defocus_core.maps.windows import overlap_average, predict_windows
from defocus_core.networks.classifier import Classifier
from defocus_core.networks.storage import load_classifier


def is_all_in_focus(
    image: np.ndarray,
    *,
    share: float,
    most: float = 1.0,
    model: Classifier | str | None = None,
) -> bool:
    """Say whether at least a share of a photograph's pixels is blurred by less than `most` pixels of sigma.

    A network judges: unlike a measure of detail, it keeps smooth surfaces that are in focus.

    Parameters
    ----------
    image, model : as for `estimate`
    """
    return bool((estimate(image, model=model) < most).mean() >= share)


MAX_HALVINGS = 3  # smaller copies at most: what has no texture would seem ever more blurred in more of them


def estimate(
    image: np.ndarray,
    *,
    model: Classifier | str | None = None,
    step: int = 16,
    refine: bool = True,
    settings: MapConfig = DEFAULT_CONFIG,
) -> np.ndarray:
    """Estimate the defocus map of a photograph.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]; NaN pixels count as black
    model : classifier, or a name or file for `load_classifier`; None is the
        default shipped one
    step : pixels from one 32x32 window to the next; a dense network has no windows and a step of 4
    refine : apply the edge-aware refinement
    settings : see `MapConfig`

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
    model = model if isinstance(model, Classifier) else _cached_model(model or DEFAULT_MODEL)
    scales = predict_pyramid(image, model=model, step=step, settings=settings)
    largest = float(model.sigmas[-1])
    values, certainty = merge_levels(scales, largest=largest, logarithm=settings.logarithm)
    del scales
    if refine:
        image = stretch_contrast(image) if settings.stretch else as_float(image)
        if image.ndim == 3:
            image = image[:, :, :3] if image.shape[2] > 1 else image[:, :, 0]
        values = refine_map(values, image, settings.refine, certainty=certainty)
    if settings.logarithm:
        values = np.exp(values, out=values) - MIN_SIGMA
    return np.maximum(values, 0, out=values)


def predict_pyramid(
    image: np.ndarray, *, model: Classifier, step: int = 16, settings: MapConfig = DEFAULT_CONFIG
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return `predict` of a photograph, of half its size, and so on.

    `model` is a classifier; the other parameters and the errors are those of `estimate`.
    """
    if not 1 <= step <= PATCH_SIZE:
        raise ValueError(f"step is 1 to {PATCH_SIZE} pixels (windows must touch), not {step}")
    grey = stretch_contrast(to_grey(image)) if settings.stretch else to_grey(image)
    scales = [predict(grey, model, step=step, settings=settings)]
    while 0 < settings.coarsest <= min(grey.shape) // 2 and len(scales) <= MAX_HALVINGS:
        grey = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA)
        scales.append(predict(grey, model, step=step, settings=settings))
    return scales


def predict(
    grey: np.ndarray, model: Classifier, *, step: int, settings: MapConfig = DEFAULT_CONFIG
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a network finds at every pixel, and how certain it is.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    step : see `estimate`

    Returns
    -------
    sigma (or its logarithm, see `MapConfig`) and certainty in [0, 1], each (H, W) float32
    """
    if model.cell is not None:
        return predict_tiled(grey, model, settings=settings)
    values, certainty = predict_windows(grey, model, step=step, settings=settings)
    return (
        overlap_average(values, certainty**settings.certainty, step=step, shape=grey.shape),
        overlap_average(certainty, np.ones_like(certainty), step=step, shape=grey.shape),
    )


@functools.lru_cache(maxsize=4)
def _cached_model(name_or_file: str) -> Classifier:
    return load_classifier(name_or_file)
