"""Edge-aware refinement of a map, by least squares or by (weighted) guided filters."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from . import images, least_squares

TINY = 1e-6


@dataclass(frozen=True)
class LeastSquares:
    """Refinement by weighted least squares; the defaults were chosen on CUHK 0201-0300.

    Parameters
    ----------
    smoothness, contrast : see :func:`defocus_core.least_squares.propagate`
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
        _check_whole(self, subsample=1)


@dataclass(frozen=True)
class Guided:
    """Refinement by guided filters, the paper's among them (:data:`PAPER`).

    Parameters
    ----------
    radius : of the filter window (side 2 radius + 1), pixels
    eps : regularisation, squared grey levels of 0..1
    iterations : passes of the filter over the map
    guide : ``grey`` or ``colour``
    guide_iterations : self-guided passes that smooth the guide first; 0 leaves it as it is
    guide_radius, guide_eps : of those passes
    edge_weight : divide eps by the edge-aware weight of Li et al. (TIP 2015)
    alpha : average the coefficients with the weight 1 / (variance^alpha + tiny) of Ochotorena &
        Yamashita (TIP 2020); 0 is the plain mean
    subsample : run on a grid this many times coarser (He & Sun 2015, fast guided filter)
    """

    radius: int = 48
    eps: float = 0.02
    iterations: int = 1
    guide: str = "colour"
    guide_iterations: int = 0
    guide_radius: int = 16
    guide_eps: float = 0.005
    edge_weight: bool = False
    alpha: float = 0.0
    subsample: int = 4

    def __post_init__(self):
        if self.guide not in ("grey", "colour"):
            raise ValueError(f"no guide {self.guide!r}; known: grey, colour")
        _check_whole(self, radius=1, iterations=1, guide_iterations=0, guide_radius=1, subsample=1)
        if not 0 <= self.alpha <= 6:
            raise ValueError(f"refine.alpha is 0 to 6 (beyond, its weights leave float32), not {self.alpha}")
        for name in ("eps", "guide_eps"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"refine.{name} is above 0, not {getattr(self, name)}")


def _check_whole(settings: object, **least: int) -> None:
    """Raise ValueError unless these fields hold whole numbers, each at least its least."""
    for name, bound in least.items():
        value = getattr(settings, name)
        if value != int(value) or value < bound:
            raise ValueError(f"refine.{name} is at least {bound}, a whole number, not {value}")


PAPER = Guided(
    radius=16, eps=0.005, iterations=7, guide_iterations=7, edge_weight=True, alpha=4.0, subsample=1
)


METHODS = {"least_squares": LeastSquares, "guided": Guided}


def settings_from(options: dict) -> LeastSquares | Guided:
    """Build settings from a mapping such as the workflow's ``maps.refinement``: ``method`` and its fields.

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


def refine(
    values: np.ndarray,
    image: np.ndarray,
    settings: LeastSquares | Guided = LeastSquares(),
    *,
    certainty: np.ndarray | None = None,
) -> np.ndarray:
    """Refine a map so that its edges are the image's.

    Parameters
    ----------
    values : (H, W) float32 map
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]; NaN pixels count as black
    settings : which method, and how; :data:`PAPER` is the published one
    certainty : (H, W) float32 in [0, 1], how sure each value is; None: all alike. Guided filters take no
        notice of it

    Returns
    -------
    (H, W) float32, within the range of ``values``

    Raises
    ------
    ValueError
        If ``values`` or ``certainty`` do not fit the image or are not finite.
    """
    image, values = images.as_float(image), np.asarray(values, np.float32)
    if image.ndim == 3 and image.shape[2] != 3:
        raise ValueError(f"the image that guides is (H, W) or (H, W, 3), not {image.shape}")
    images.check_fit(values, image)
    if certainty is not None:
        certainty = np.asarray(certainty, np.float32)
        images.check_fit(certainty, image)
    if isinstance(settings, Guided):
        return _guided(values, image, settings)
    certainty = np.ones_like(values) if certainty is None else certainty
    return _least_squares(values, certainty, image, settings)


def _least_squares(values, certainty, image, settings: LeastSquares) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    fine = values.shape[::-1]
    scale = _scale(settings.subsample, values.shape)
    values, certainty, image = (_shrunken(array, scale) for array in (values, certainty, image))
    weight = np.clip(certainty, 0, 1) ** settings.trust + np.float32(settings.floor)
    solution = least_squares.propagate(
        values, weight, image, smoothness=settings.smoothness, contrast=settings.contrast
    )
    return np.clip(cv2.resize(solution, fine, interpolation=cv2.INTER_LINEAR), low, high)


def _guided(values: np.ndarray, image: np.ndarray, settings: Guided) -> np.ndarray:
    """Filter as Galetto & Deng, The Visual Computer 2022, section 3.3."""
    if settings.guide == "grey" and image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    fine = image
    scale = _scale(settings.subsample, values.shape)
    low, high = float(values.min()), float(values.max())
    values, image = _shrunken(values, scale), _shrunken(image, scale)
    radius = max(1, round(settings.radius / scale))
    guide = image
    for _ in range(settings.guide_iterations):
        guide = smooth(
            guide,
            radius=max(1, round(settings.guide_radius / scale)),
            eps=settings.guide_eps,
            edge_weight=settings.edge_weight,
            alpha=settings.alpha,
        )
    solve = GuidedFilter(
        guide, radius=radius, eps=settings.eps, edge_weight=settings.edge_weight, alpha=settings.alpha
    )
    for _ in range(settings.iterations - 1):
        values = solve(values)
    slope, offset = solve.coefficients(values)
    if scale > 1:
        guide = fine if not settings.guide_iterations else cv2.resize(guide, fine.shape[1::-1])
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
    edge_weight, alpha : the two weightings, see :class:`Guided`
    """

    def __init__(self, guide, *, radius: int, eps: float, edge_weight: bool = False, alpha: float = 0.0):
        self._guide, self._radius = guide, radius
        self._mean = _box(guide, radius)
        lightness = guide if guide.ndim == 2 else guide.mean(2)
        if edge_weight:
            eps = eps / edge_aware_weight(lightness)
        if guide.ndim == 2:
            variance = np.maximum(_box(guide * guide, radius) - self._mean**2, 0)
            self._inverse = 1 / (variance + eps)
        else:
            self._inverse, variance = _inverse_covariance(guide, self._mean, radius, eps)
        self._weight = None
        if alpha:
            self._weight = 1 / (variance**alpha + np.float32(TINY) ** alpha)
            self._weight /= self._weight.max()
            self._weight += np.float32(1e-12)
            self._weights = _box(self._weight, radius)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Filter an (H, W) float32 array."""
        return _apply(*self.coefficients(values), self._guide)

    def coefficients(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the averaged slope (as the guide's shape) and offset (H, W)."""
        mean = _box(values, self._radius)
        if self._guide.ndim == 2:
            slope = (_box(self._guide * values, self._radius) - self._mean * mean) * self._inverse
            offset = mean - slope * self._mean
        else:
            covariance = _box(self._guide * values[:, :, None], self._radius) - self._mean * mean[:, :, None]
            slope = _symmetric_product(self._inverse, covariance)
            offset = mean - np.einsum("hwc,hwc->hw", slope, self._mean)
        return self._average(slope), self._average(offset)

    def _average(self, coefficient: np.ndarray) -> np.ndarray:
        if self._weight is None:
            return _box(coefficient, self._radius)
        if coefficient.ndim == 2:
            return _box(self._weight * coefficient, self._radius) / self._weights
        weight, weights = self._weight[:, :, None], self._weights[:, :, None]
        return _box(weight * coefficient, self._radius) / weights


def smooth(image: np.ndarray, *, radius: int, eps: float, edge_weight=False, alpha=0.0) -> np.ndarray:
    """Smooth an image by itself, channel by channel: silhouettes stay, texture goes.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32
    radius, eps, edge_weight, alpha : as for :class:`GuidedFilter`
    """
    if image.ndim == 3:
        channels = [
            smooth(c, radius=radius, eps=eps, edge_weight=edge_weight, alpha=alpha) for c in cv2.split(image)
        ]
        return cv2.merge(channels)
    return GuidedFilter(image, radius=radius, eps=eps, edge_weight=edge_weight, alpha=alpha)(image)


def edge_aware_weight(guide: np.ndarray) -> np.ndarray:
    """Return Gamma of Li et al. (TIP 2015, eq. 5): above 1 at edges, below 1 in flat parts.

    Parameters
    ----------
    guide : (H, W) float32 in [0, 1]; its variance is taken in 3x3 windows, lambda is 0.001^2
    """
    mean = _box(guide, 1)
    variance = np.maximum(_box(guide * guide, 1) - mean * mean, 0) + np.float32(1e-6)
    return variance * np.mean(1 / variance)


def _scale(subsample: int, shape: tuple[int, int]) -> int:
    """Return the subsampling that leaves eight rows and columns at least."""
    return max(1, min(subsample, min(shape) // 8))


def _shrunken(array: np.ndarray, scale: int) -> np.ndarray:
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
    total = cv2.resize(offset, size)
    channels = cv2.split(slope) if slope.ndim == 3 else [slope]
    for index, channel in enumerate(channels):
        part = cv2.resize(channel, size)
        part *= guide if guide.ndim == 2 else guide[:, :, index]
        total += part
    return total


def _box(values: np.ndarray, radius: int) -> np.ndarray:
    side = 2 * radius + 1
    return cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)


def _inverse_covariance(guide, mean, radius, eps):
    """Return the six distinct entries of (covariance + eps I)^-1 and the mean variance."""
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    products = [
        _box(guide[:, :, i] * guide[:, :, j], radius) - mean[:, :, i] * mean[:, :, j] for i, j in pairs
    ]
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


def _symmetric_product(matrix, vector):
    rr, rg, rb, gg, gb, bb = matrix
    r, g, b = cv2.split(vector)
    return cv2.merge([rr * r + rg * g + rb * b, rg * r + gg * g + gb * b, rb * r + gb * g + bb * b])
