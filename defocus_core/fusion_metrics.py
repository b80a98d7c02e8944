"""Scores of fused images that need no truth: how much of the sources arrives."""

from __future__ import annotations

import cv2
import numpy as np

from . import images


def scores(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> dict[str, float]:
    """Return all scores of a fused image: ``q_abf`` and ``nmi``.

    Parameters
    ----------
    first, second, fused : (H, W) or (H, W, 3) RGB images; scored on their rounded grey levels
    """
    greys = [np.rint(images.grey(image) * 255) for image in (first, second, fused)]
    return {"q_abf": q_abf(*greys), "nmi": nmi(*greys)}


def q_abf(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return Q^{AB/F}: how well the fused image keeps the gradients of both sources.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255

    Returns
    -------
    float in [0, 1]; higher is better

    References
    ----------
    Xydeas & Petrovic, Electronics Letters 2000; constants of the authors' code. Angles are compared
    as they are, without wrapping at a half turn, as in the published figures of the field.
    """
    strength_a, angle_a = _gradient(first)
    strength_b, angle_b = _gradient(second)
    strength_f, angle_f = _gradient(fused)
    kept_a = _kept(strength_a, angle_a, strength_f, angle_f)
    kept_b = _kept(strength_b, angle_b, strength_f, angle_f)
    total = (strength_a + strength_b).sum()
    return float((kept_a * strength_a + kept_b * strength_b).sum() / total) if total else 0.0


def nmi(first: np.ndarray, second: np.ndarray, fused: np.ndarray) -> float:
    """Return the normalised mutual information of the fused image with its sources.

    Parameters
    ----------
    first, second, fused : (H, W) uint8 or float grey levels in 0..255

    Returns
    -------
    float in [0, 2]; higher is better

    References
    ----------
    Hossny, Nahavandi & Creighton, Electronics Letters 2008: 2 sum_X I(X; F) / (H(X) + H(F)).
    """
    return _shared(first, fused) + _shared(second, fused)


def _gradient(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    image = image.astype(np.float64)
    across = cv2.Sobel(image, cv2.CV_64F, 1, 0, ksize=3, borderType=cv2.BORDER_CONSTANT)
    down = cv2.Sobel(image, cv2.CV_64F, 0, 1, ksize=3, borderType=cv2.BORDER_CONSTANT)
    upright = across == 0
    angle = np.where(upright, np.pi / 2, np.arctan(down / np.where(upright, 1, across)))
    return np.hypot(across, down), angle


def _kept(strength, angle, strength_f, angle_f) -> np.ndarray:
    low, high = np.minimum(strength, strength_f), np.maximum(strength, strength_f)
    ratio = np.divide(low, high, out=np.zeros_like(low), where=high > 0)
    alignment = 1 - np.abs(angle - angle_f) * 2 / np.pi
    kept_strength = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5)))
    kept_angle = 0.9879 / (1 + np.exp(-22 * (alignment - 0.8)))
    return kept_strength * kept_angle


def _shared(source: np.ndarray, fused: np.ndarray) -> float:
    joint = np.histogram2d(source.ravel(), fused.ravel(), bins=256, range=[[0, 256], [0, 256]])[0]
    joint /= joint.sum()
    entropy_source, entropy_fused = _entropy(joint.sum(1)), _entropy(joint.sum(0))
    both = entropy_source + entropy_fused
    return 2 * (both - _entropy(joint.ravel())) / both if both else 0.0


def _entropy(chances: np.ndarray) -> float:
    chances = chances[chances > 0]
    return float(-(chances * np.log2(chances)).sum())
