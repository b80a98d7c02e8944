"""Estimate the defocus map of a photograph."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np

from defocus_core.blur.sigma_scale import SigmaScale
from defocus_core.constants import DEFAULT_MODEL, PATCH_SIZE
from defocus_core.io.color import max_stretch_gain, stretch_contrast, to_grey
from defocus_core.maps.config import DEFAULT_CONFIG, MapConfig
from defocus_core.maps.detail import detail_evidence
from defocus_core.maps.pyramid import enlarge, merge_levels
from defocus_core.maps.refine.refinement import refine_map
from defocus_core.maps.surroundings import follow_surroundings
from defocus_core.maps.tiles import predict_tiled
from defocus_core.maps.windows import overlap_average, predict_windows
from defocus_core.networks.classifier import Classifier
from defocus_core.networks.storage import load_model

MAX_HALVINGS = 3  # smaller copies at most: what has no texture would seem ever more blurred in more of them


def estimate(
    image: np.ndarray,
    *,
    model: Classifier | str | None = None,
    step: int = 16,
    refine: bool = True,
    config: MapConfig = DEFAULT_CONFIG,
) -> np.ndarray:
    """Estimate the defocus map of a photograph.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]; NaN pixels count as black
    model : classifier, or a name or file for `load_model`; None is the
        default shipped one
    step : pixels from one 32x32 window to the next; a dense network has no windows and a step of 4
    refine : apply the edge-aware refinement
    config : see `MapConfig`

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

    Examples
    --------
    A photograph that is blurred further has a larger sigma.

    >>> import numpy as np
    >>> from skimage import data
    >>> import defocus_core as dc
    >>> from defocus_core.blur.kernels import gaussian_blur
    >>> sharp = data.astronaut()[100:200, 150:250] / np.float32(255)
    >>> sigma = dc.estimate(sharp)
    >>> sigma.shape, sigma.dtype
    ((100, 100), dtype('float32'))
    >>> bool(np.median(dc.estimate(gaussian_blur(sharp, 3))) > 2 > np.median(sigma))
    True
    """
    return estimate_with_certainty(image, model=model, step=step, refine=refine, config=config)[0]


def estimate_with_certainty(
    image: np.ndarray,
    *,
    model: Classifier | str | None = None,
    step: int = 16,
    refine: bool = True,
    config: MapConfig = DEFAULT_CONFIG,
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate the defocus map of a photograph, and how sure the network is of each pixel.

    Parameters and errors are those of `estimate`.

    Returns
    -------
    sigma, pixels, as of `estimate`, and certainty in [0, 1], each (H, W) float32. The certainty is that of the
    network's own answer, before refinement: near 0 where nothing tells of blur, and the map follows its surroundings

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((96, 96), 0.5, np.float32)
    >>> sigma, certainty = estimate_with_certainty(image)
    >>> sigma.shape, certainty.shape
    ((96, 96), (96, 96))
    """
    model = resolve_model(model)
    levels = predict_pyramid(image, model=model, step=step, config=config)
    max_sigma, scale = float(model.sigmas[-1]), SigmaScale(config.log_sigma)
    grids = merge_levels(levels, max_sigma=max_sigma, scale=scale, judge_oversampling=config.judge_oversampling)
    values, certainty = (enlarge(grid, model.cell or 1, image.shape[:2]) for grid in grids)
    if refine:
        image = stretch_contrast(image) if config.stretch_contrast else image
        if image.ndim == 3:
            image = image[:, :, :3] if image.shape[2] > 1 else image[:, :, 0]
        values = refine_map(values, image, config.refinement, certainty=certainty)
        if config.evidence:
            values = follow_surroundings(values, certainty)
    values = scale.decode(values)
    return np.maximum(values, 0, out=values), certainty


def predict_pyramid(
    image: np.ndarray, *, model: Classifier, step: int = 16, config: MapConfig = DEFAULT_CONFIG
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Predict a photograph and its smaller copies, each half the size of the one before.

    `model` is a classifier; the other parameters and the errors are those of `estimate`.
    """
    if not 1 <= step <= PATCH_SIZE:
        raise ValueError(f"step is 1 to {PATCH_SIZE} pixels (windows must touch), not {step}")
    grey = to_grey(image)
    if config.stretch_contrast:
        grey = stretch_contrast(grey, max_gain=max_stretch_gain(image.dtype))
    detail = detail_evidence(grey) if config.evidence else None
    scales = [predict(grey, model, step=step, config=config)]
    while 0 < config.min_pyramid_side <= min(grey.shape) // 2 and len(scales) <= MAX_HALVINGS:
        grey = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA)
        scales.append(predict(grey, model, step=step, config=config))
    if detail is not None:
        return [(values, sure * _shrink(detail, sure.shape)) for values, sure in scales]
    return scales


def _shrink(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return values if values.shape == shape else cv2.resize(values, shape[::-1], interpolation=cv2.INTER_AREA)


def predict(
    grey: np.ndarray, model: Classifier, *, step: int, config: MapConfig = DEFAULT_CONFIG
) -> tuple[np.ndarray, np.ndarray]:
    """Predict sigma and its certainty at every cell of a dense network, or at every pixel by windows.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    step : see `estimate`

    Returns
    -------
    sigma (or its logarithm, see `MapConfig`) and certainty in [0, 1], each (H, W) float32, or (ceil(H / cell),
    ceil(W / cell)) of a dense network
    """
    if model.cell is not None:
        values, certainty = predict_tiled(grey, model, config=config)
    else:
        windows, sure = predict_windows(grey, model, step=step, config=config)
        values = overlap_average(windows, sure**config.certainty_exponent, step=step, shape=grey.shape)
        certainty = overlap_average(sure, np.ones_like(sure), step=step, shape=grey.shape)
    return values, certainty


def resolve_model(model: Classifier | str | None) -> Classifier:
    """Return the classifier that a name or file means, None being the default; a file is read anew when it changes."""
    if isinstance(model, Classifier):
        return model
    name, path = model or DEFAULT_MODEL, Path(model or DEFAULT_MODEL)
    if path.suffix != ".safetensors" or not path.is_file():
        return _cached_model(name, None)
    return _cached_model(str(path.resolve()), path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _cached_model(name_or_file: str, modified: int | None) -> Classifier:
    return load_model(name_or_file)
