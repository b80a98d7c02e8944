"""Blur of edges by blurring them again."""

from __future__ import annotations

import cv2
import numpy as np

from .. import refine


def edge_ratio(grey: np.ndarray, *, reblur: float = 1.0, radius: int = 48) -> np.ndarray:
    """Return the blur of edges by the ratio of gradients, spread over the image: a sigma in pixels.

    An edge of blur sigma, blurred again by sigma_0, has its gradient divided by
    R = sqrt(sigma^2 + sigma_0^2) / sigma, so sigma = sigma_0 / sqrt(R^2 - 1). The sparse values are
    spread by a guided filter over their local mean; the authors solve a matting Laplacian.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    reblur : sigma_0, pixels
    radius : of the guided filter, pixels

    References
    ----------
    Zhuo & Sim, Pattern Recognition 2011, equations 5 to 8.
    """
    edges = cv2.Canny(np.rint(grey * 255).astype(np.uint8), 40, 100) > 0
    again = cv2.GaussianBlur(grey, (0, 0), reblur)
    ratio = _gradient(grey) / np.maximum(_gradient(again), 1e-6)
    sparse = np.where(edges, reblur / np.sqrt(np.maximum(ratio**2 - 1, 1e-2)), 0).astype(np.float32)
    sparse = np.minimum(sparse, np.float32(8))
    known = edges.astype(np.float32)
    guided = refine.GuidedFilter(grey, radius=radius, eps=0.01)
    usual = np.float32(sparse.sum() / max(known.sum(), 1))  # for places far from every edge
    values = cv2.GaussianBlur(sparse, (0, 0), 8) + np.float32(1e-4) * usual
    weight = cv2.GaussianBlur(known, (0, 0), 8) + np.float32(1e-4)
    return np.clip(guided(values / weight), 0, 8)


def _gradient(grey: np.ndarray) -> np.ndarray:
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1)))
    return np.hypot(across, down)
