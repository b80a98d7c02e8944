"""Edge-aware refinement of a map, by least squares or guided filters."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from defocus_core.io.arrays import check_map_fits
from defocus_core.io.color import as_float
from defocus_core.maps.refine.guided import GuidedConfig, check_whole, downscale, refine_guided, subsampling
from defocus_core.maps.refine.least_squares import propagate


@dataclass(frozen=True)
class LeastSquaresConfig:
    """Refinement by weighted least squares; the defaults were chosen on CUHK 0201-0300.

    Parameters
    ----------
    smoothness, contrast : see `propagate`
    trust : exponent of the certainty of a pixel in the weight of its value
    floor : weight of a pixel of no certainty, so that what nothing else reaches keeps its value
    subsample : run on a grid this many times coarser
    """

    smoothness: float = 1000.0
    contrast: float = 0.02
    trust: float = 3.0
    floor: float = 0.05
    subsample: int = 2

    def __post_init__(self):
        for name in ("smoothness", "contrast", "floor"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"refine.{name} is above 0, not {getattr(self, name)}")
        if not 0 <= self.trust < np.inf:
            raise ValueError(f"refine.trust is at least 0, not {self.trust}")
        check_whole(self, subsample=1)


PAPER_GUIDED = GuidedConfig(
    radius=16, eps=0.005, iterations=7, guide_iterations=7, edge_weight=True, alpha=4.0, subsample=1
)


METHODS = {"least_squares": LeastSquaresConfig, "guided": GuidedConfig}


def refinement_config_from(options: dict) -> LeastSquaresConfig | GuidedConfig:
    """Build settings from a mapping such as the workflow's `maps.refinement`: `method` and its fields.

    Raises
    ------
    ValueError
        If there is no such method, or the method has no such field.
    """
    options = dict(options)
    method = options.pop("method", "least_squares")
    if method not in METHODS:
        raise ValueError(f"no refinement {method!r}; known: {', '.join(METHODS)}")
    known = [field.name for field in fields(METHODS[method])]
    for name in options:
        if name not in known:
            raise ValueError(f"refinement by {method} has no {name!r}; it has {', '.join(known)}")
    return METHODS[method](**options)


def refine_map(
    values: np.ndarray,
    image: np.ndarray,
    settings: LeastSquaresConfig | GuidedConfig = LeastSquaresConfig(),
    *,
    certainty: np.ndarray | None = None,
) -> np.ndarray:
    """Refine a map so that its edges are the image's.

    Parameters
    ----------
    values : (H, W) float32 map
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]; NaN pixels count as black
    settings : which method, and how; `PAPER_GUIDED` is the published one
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
    image, values = as_float(image), np.asarray(values, np.float32)
    if image.ndim == 3 and image.shape[2] != 3:
        raise ValueError(f"the image that guides is (H, W) or (H, W, 3), not {image.shape}")
    check_map_fits(values, image)
    if certainty is not None:
        certainty = np.asarray(certainty, np.float32)
        check_map_fits(certainty, image)
    if isinstance(settings, GuidedConfig):
        return refine_guided(values, image, settings)
    certainty = np.ones_like(values) if certainty is None else certainty
    return _refine_least_squares(values, certainty, image, settings)


def _refine_least_squares(values, certainty, image, settings: LeastSquaresConfig) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    fine = values.shape[::-1]
    scale = subsampling(settings.subsample, values.shape)
    values, certainty, image = (downscale(array, scale) for array in (values, certainty, image))
    weight = np.clip(certainty, 0, 1) ** settings.trust + np.float32(settings.floor)
    solution = propagate(values, weight, image, smoothness=settings.smoothness, contrast=settings.contrast)
    return np.clip(cv2.resize(solution, fine, interpolation=cv2.INTER_LINEAR), low, high)
