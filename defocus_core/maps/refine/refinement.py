"""Edge-aware refinement of a map, by least squares or guided filters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import cv2
import numpy as np
from pydantic import Discriminator, Field, Tag

from defocus_core.io.arrays import check_map_fits
from defocus_core.io.color import as_float
from defocus_core.maps.refine.guided import GuidedConfig, downscale, refine_guided, subsampling
from defocus_core.maps.refine.least_squares import propagate
from defocus_core.maps.surroundings import EVIDENT_CERTAINTY
from defocus_core.settings import Real, Settings

LEAST_TIE = np.float32(1e-5)  # of pixels without certainty, so that a plain field does not flow into objects


class LeastSquaresConfig(Settings):
    """Refinement by weighted least squares; the defaults were chosen on CUHK 0201-0300."""

    method: Literal["least_squares"] = Field("least_squares", description="Weighted least squares.")
    smoothness: Real = Field(
        3000.0, gt=0, description="Smoothness between neighbouring pixels of the photograph of the same colour."
    )
    contrast: Real = Field(
        0.02,
        gt=0,
        description="Distance of colours, grey levels of 0..1, at which smoothness falls to 1 / e.",
    )
    certainty_exponent: Real = Field(
        3.0, ge=0, description="Exponent of the certainty of a pixel in the weight of its value."
    )
    min_weight: Real = Field(
        0.05,
        gt=0,
        description="Weight of a pixel of no certainty, so that what nothing else reaches keeps its value.",
    )
    full_pixels: Real = Field(
        2e6, ge=0, description="Photographs of more pixels are refined on a grid half as fine, which loses thin things."
    )


def _method(values: Any) -> str:
    """Return the method that a refinement's config name; least squares where they name none."""
    return values.get("method", "least_squares") if isinstance(values, dict) else values.method


Refinement = Annotated[
    Annotated[LeastSquaresConfig, Tag("least_squares")] | Annotated[GuidedConfig, Tag("guided")],
    Discriminator(
        _method,
        custom_error_type="no_such_method",
        custom_error_message="no such method; known: least_squares, guided",
    ),
]


def refine_map(
    values: np.ndarray,
    image: np.ndarray,
    config: LeastSquaresConfig | GuidedConfig = LeastSquaresConfig(),
    *,
    certainty: np.ndarray | None = None,
) -> np.ndarray:
    """Align the edges of a map with those of the image.

    Parameters
    ----------
    values : (H, W) float32 map
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]; NaN pixels count as black
    config : which method, and how; `PAPER_GUIDED` is the published one
    certainty : (H, W) float32 in [0, 1], how sure each value is; None: all alike. Guided filters take no
        notice of it

    Returns
    -------
    (H, W) float32, within the range of `values`

    Raises
    ------
    ValueError
        If `values` or `certainty` do not fit the image or are not finite.
    """
    if image.dtype not in (np.uint8, np.uint16):
        image = as_float(image)
    values = np.asarray(values, np.float32)
    if image.ndim == 3 and image.shape[2] != 3:
        raise ValueError(f"the image that guides is (H, W) or (H, W, 3), not {image.shape}")
    check_map_fits(values, image)
    if certainty is not None:
        certainty = np.asarray(certainty, np.float32)
        check_map_fits(certainty, image)
    if isinstance(config, GuidedConfig):
        return refine_guided(values, as_float(image), config)
    certainty = np.ones_like(values) if certainty is None else certainty
    return _refine_least_squares(values, certainty, image, config)


def _refine_least_squares(
    values: np.ndarray, certainty: np.ndarray, image: np.ndarray, config: LeastSquaresConfig
) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    fine = values.shape[::-1]
    scale = subsampling(1 if values.size <= config.full_pixels else 2, values.shape)
    values, certainty, image = (downscale(array, scale) for array in (values, certainty, image))
    weight = np.clip(certainty, 0, 1) ** config.certainty_exponent + np.float32(config.min_weight)
    smoothness = config.smoothness / scale**2 * np.clip(certainty / EVIDENT_CERTAINTY, LEAST_TIE, 1)
    contrast = config.contrast if image.ndim == 3 else config.contrast / np.sqrt(3)  # as of three channels alike
    solution = propagate(values, weight, as_float(image), smoothness=smoothness, contrast=contrast, tiled=True)
    refined = cv2.resize(solution, fine, interpolation=cv2.INTER_LINEAR)
    return np.clip(refined, low, high, out=refined)
