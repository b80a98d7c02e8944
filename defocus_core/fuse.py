"""Multi-focus fusion: every pixel from the shot whose defocus map is lowest there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import backbones, images, maps, refine


@dataclass(frozen=True)
class Settings:
    """How shots are fused.

    Parameters
    ----------
    step : of the defocus maps, pixels
    radius, eps : of the guided filter that refines each shot's decision map
    """

    step: int = 4
    radius: int = 8
    eps: float = 0.01


@dataclass(frozen=True)
class Fusion:
    """A fused image and where it came from.

    Parameters
    ----------
    image : float32 in [0, 1], of the shots' shape
    labels : (H, W) uint8, index of the shot that weighs most at each pixel
    """

    image: np.ndarray
    labels: np.ndarray


def fuse(
    shots: Sequence[np.ndarray],
    *,
    model: backbones.Classifier | str | None = None,
    settings: Settings = Settings(),
) -> Fusion:
    """Fuse registered shots focused at different distances.

    Parameters
    ----------
    shots : two or more (H, W) or (H, W, 3) RGB of one size, uint8, uint16 or float in [0, 1]
    model : as for :func:`defocus_core.maps.estimate`

    Raises
    ------
    ValueError
        If there are fewer than two shots, or their shapes differ.

    References
    ----------
    Galetto & Deng, arXiv 2107.14443, section on fusion; weighted average of refined decision maps as in
    Li, Kang & Hu, TIP 2013.
    """
    if len(shots) < 2:
        raise ValueError(f"fusion needs two shots or more, not {len(shots)}")
    shapes = sorted({np.shape(shot) for shot in shots})
    if len(shapes) > 1:
        raise ValueError(
            f"the shots differ in shape: {', '.join(map(str, shapes))}; crop or register them first"
        )
    best = None
    for index, shot in enumerate(shots):
        sigma = maps.estimate(shot, model=model, step=settings.step, refine=False)
        if best is None:
            best, labels = sigma, np.zeros(sigma.shape, np.uint8)
        else:
            labels[sigma < best] = index
            best = np.minimum(best, sigma)
    total, weights = 0.0, 0.0
    heaviest = np.full(labels.shape, -1, np.float32)
    chosen = np.zeros_like(labels)
    for index, shot in enumerate(shots):
        image = images.as_float(shot)
        weight = _decision(labels == index, image, settings)
        chosen[weight > heaviest] = index
        heaviest = np.maximum(heaviest, weight)
        total = total + (weight[:, :, None] if image.ndim == 3 else weight) * image
        weights = weights + weight
    weights = np.maximum(weights, 1e-6)
    fused = total / (weights[:, :, None] if total.ndim == 3 else weights)
    return Fusion(np.clip(fused, 0, 1).astype(np.float32), chosen)


def _decision(mask: np.ndarray, image: np.ndarray, settings: Settings) -> np.ndarray:
    guided = refine.GuidedFilter(images.grey(image), radius=settings.radius, eps=settings.eps)
    return np.clip(guided(mask.astype(np.float32)), 0, 1)
