"""Guided filters: plain, weighted, and as published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from defocus_core.settings import Flag, Real, Settings, Whole

TINY = 1e-6


class GuidedConfig(Settings):
    """Refinement by guided filters, the paper's among them (`PAPER_GUIDED`)."""

    method: Literal["guided"] = Field("guided", description="Guided filters.")
    radius: Whole = Field(48, ge=1, description="Radius of the filter window, pixels; its side is 2 radius + 1.")
    eps: Real = Field(0.02, gt=0, description="Regularisation, squared grey levels of 0..1.")
    iterations: Whole = Field(1, ge=1, description="Passes of the filter over the map.")
    guide: Literal["grey", "colour"] = Field("colour", description="Guide in grey or colour.")
    guide_iterations: Whole = Field(
        0, ge=0, description="Self-guided passes that smooth the guide first; 0 leaves it as it is."
    )
    guide_radius: Whole = Field(16, ge=1, description="Radius of those passes, pixels.")
    guide_eps: Real = Field(0.005, gt=0, description="Regularisation of those passes, squared grey levels of 0..1.")
    edge_weight: Flag = Field(False, description="Divide eps by the edge-aware weight of Li et al. (TIP 2015).")
    alpha: Real = Field(
        0.0,
        ge=0,
        le=6,
        description="Average the coefficients with the weight 1 / variance^alpha of Ochotorena & Yamashita "
        "(TIP 2020); 0 is the plain mean. Beyond 6 the weights leave float32.",
    )
    subsample: Whole = Field(4, ge=1, description="Run on a grid this many times coarser (He & Sun 2015).")


PAPER_GUIDED = GuidedConfig(
    radius=16, eps=0.005, iterations=7, guide_iterations=7, edge_weight=True, alpha=4.0, subsample=1
)


def refine_guided(values: np.ndarray, image: np.ndarray, config: GuidedConfig) -> np.ndarray:
    """Refine a map by guided filters (Galetto & Deng, The Visual Computer 2022, section 3.3)."""
    if config.guide == "grey" and image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    fine = image
    scale = subsampling(config.subsample, values.shape)
    low, high = float(values.min()), float(values.max())
    values, image = downscale(values, scale), downscale(image, scale)
    radius = max(1, round(config.radius / scale))
    guide = image
    for _ in range(config.guide_iterations):
        guide = self_guided_filter(
            guide,
            radius=max(1, round(config.guide_radius / scale)),
            eps=config.guide_eps,
            edge_weight=config.edge_weight,
            alpha=config.alpha,
        )
    solve = GuidedFilter(guide, radius=radius, eps=config.eps, edge_weight=config.edge_weight, alpha=config.alpha)
    for _ in range(config.iterations - 1):
        values = solve(values)
    slope, offset = solve.coefficients(values)
    if scale > 1:
        guide = fine if not config.guide_iterations else cv2.resize(guide, fine.shape[1::-1])
        refined = _apply_coarse(slope, offset, guide)
    else:
        refined = _apply(slope, offset, guide)
    return np.clip(refined, low, high, out=refined)


class GuidedFilter:
    """Guided filter (He et al., TPAMI 2013) with a fixed guide, weighted on request.

    Parameters
    ----------
    guide : (H, W) or (H, W, 3) float32
    radius, eps : window (side 2 radius + 1) and regularisation
    edge_weight, alpha : the two weightings, see `GuidedConfig`
    """

    def __init__(self, guide: np.ndarray, *, radius: int, eps: float, edge_weight: bool = False, alpha: float = 0.0):
        self._guide, self._radius = guide, radius
        self._mean = _box_mean(guide, radius)
        lightness = guide if guide.ndim == 2 else guide.mean(2)
        floor = eps / edge_aware_weight(lightness) if edge_weight else eps
        if guide.ndim == 2:
            variance = np.maximum(_box_mean(guide * guide, radius) - self._mean**2, 0)
            self._inverse = [1 / (variance + floor)]
        else:
            self._inverse, variance = _inverse_covariance(guide, self._mean, radius, floor)
        self._weight: np.ndarray | None = None
        if alpha:
            self._weight = 1 / (variance**alpha + np.float32(TINY) ** alpha)
            self._weight /= self._weight.max()
            self._weight += np.float32(1e-12)
            self._weights = _box_mean(self._weight, radius)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Filter an (H, W) float32 array."""
        return _apply(*self.coefficients(values), self._guide)

    def coefficients(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the averaged slope (as the guide's shape) and offset (H, W)."""
        mean = _box_mean(values, self._radius)
        if self._guide.ndim == 2:
            slope = (_box_mean(self._guide * values, self._radius) - self._mean * mean) * self._inverse[0]
            offset = mean - slope * self._mean
        else:
            covariance = _box_mean(self._guide * values[:, :, None], self._radius) - self._mean * mean[:, :, None]
            slope = _symmetric_product(self._inverse, covariance)
            offset = mean - np.einsum("hwc,hwc->hw", slope, self._mean)
        return self._average(slope), self._average(offset)

    def _average(self, coefficient: np.ndarray) -> np.ndarray:
        if self._weight is None:
            return _box_mean(coefficient, self._radius)
        if coefficient.ndim == 2:
            return _box_mean(self._weight * coefficient, self._radius) / self._weights
        weight, weights = self._weight[:, :, None], self._weights[:, :, None]
        return _box_mean(weight * coefficient, self._radius) / weights


def self_guided_filter(
    image: np.ndarray, *, radius: int, eps: float, edge_weight: bool = False, alpha: float = 0.0
) -> np.ndarray:
    """Smooth an image guided by itself, channel by channel: keep silhouettes, remove texture.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32
    radius, eps, edge_weight, alpha : as for `GuidedFilter`
    """
    if image.ndim == 3:
        channels = [
            self_guided_filter(c, radius=radius, eps=eps, edge_weight=edge_weight, alpha=alpha)
            for c in cv2.split(image)
        ]
        return cv2.merge(channels)
    return GuidedFilter(image, radius=radius, eps=eps, edge_weight=edge_weight, alpha=alpha)(image)


def edge_aware_weight(guide: np.ndarray) -> np.ndarray:
    """Return Gamma of Li et al. (TIP 2015, eq. 5): above 1 at edges, below 1 in flat parts.

    Parameters
    ----------
    guide : (H, W) float32 in [0, 1]; its variance is taken in 3x3 windows, lambda is 0.001^2
    """
    mean = _box_mean(guide, 1)
    variance = np.maximum(_box_mean(guide * guide, 1) - mean * mean, 0) + np.float32(1e-6)
    return variance * np.mean(1 / variance)


def subsampling(subsample: int, shape: tuple[int, int]) -> int:
    """Return the subsampling that leaves eight rows and columns at least."""
    return max(1, min(subsample, min(shape) // 8))


def downscale(array: np.ndarray, scale: int) -> np.ndarray:
    """Return an image at 1 / scale of its size, averaged over areas; at scale 1 the array itself."""
    if scale == 1:
        return array
    size = (max(1, array.shape[1] // scale), max(1, array.shape[0] // scale))
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA)


def _apply(slope: np.ndarray, offset: np.ndarray, guide: np.ndarray) -> np.ndarray:
    if guide.ndim == 2:
        return slope * guide + offset
    return np.einsum("hwc,hwc->hw", slope, guide) + offset


def _apply_coarse(slope: np.ndarray, offset: np.ndarray, guide: np.ndarray) -> np.ndarray:
    """Apply coefficients of a coarser grid, one channel at a time: a large guide leaves little memory."""
    size = guide.shape[1::-1]
    total: np.ndarray = cv2.resize(offset, size)
    channels = cv2.split(slope) if slope.ndim == 3 else [slope]
    for index, channel in enumerate(channels):
        part = cv2.resize(channel, size)
        part *= guide if guide.ndim == 2 else guide[:, :, index]
        total += part
    return total


def _box_mean(values: np.ndarray, radius: int) -> np.ndarray:
    side = 2 * radius + 1
    return cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)


def _inverse_covariance(
    guide: np.ndarray, mean: np.ndarray, radius: int, eps: float | np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the six distinct entries of (covariance + eps I)^-1 and the mean variance."""
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    products = [_box_mean(guide[:, :, i] * guide[:, :, j], radius) - mean[:, :, i] * mean[:, :, j] for i, j in pairs]
    variance = np.maximum((products[0] + products[3] + products[5]) / 3, 0)
    rr, rg, rb, gg, gb, bb = products
    rr, gg, bb = rr + eps, gg + eps, bb + eps
    cofactors = (
        gg * bb - gb * gb,
        rb * gb - rg * bb,
        rg * gb - rb * gg,
        rr * bb - rb * rb,
        rb * rg - rr * gb,
        rr * gg - rg * rg,
    )
    determinant = rr * cofactors[0] + rg * cofactors[1] + rb * cofactors[2]
    return [c / determinant for c in cofactors], variance


def _symmetric_product(matrix: Sequence[np.ndarray], vector: np.ndarray) -> np.ndarray:
    rr, rg, rb, gg, gb, bb = matrix
    r, g, b = cv2.split(vector)
    return cv2.merge([rr * r + rg * g + rb * b, rg * r + gg * g + gb * b, rb * r + gb * g + bb * b])
