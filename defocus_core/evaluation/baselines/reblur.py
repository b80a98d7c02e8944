"""Blur of edges by the ratio of their gradients before and after a known blur (Zhuo & Sim)."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from defocus_core.maps.refine.guided import GuidedFilter

LARGEST = 8.0  # sigma in pixels; above, a ratio is noise


def edge_ratio(grey: np.ndarray, *, reblur: float = 1.0, radius: int = 48) -> np.ndarray:
    """Return the blur of edges by the ratio of gradients, spread by a guided filter: a sigma in pixels.

    An edge of blur sigma, blurred again by sigma_0, has its gradient divided by
    R = sqrt(sigma^2 + sigma_0^2) / sigma, so sigma = sigma_0 / sqrt(R^2 - 1). The sparse values are
    spread by a guided filter over their local mean; the authors solve a matting Laplacian
    (`edge_ratio_matting`).

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    reblur : sigma_0, pixels
    radius : of the guided filter, pixels

    Returns
    -------
    (H, W) float32 in [0, 8], pixels of sigma

    References
    ----------
    Zhuo & Sim, Pattern Recognition 2011, equations 5 to 8.
    """
    sparse, known = edge_blur(grey, reblur)
    guided = GuidedFilter(grey, radius=radius, eps=0.01)
    usual = np.float32(sparse.sum() / max(known.sum(), 1))  # for places far from every edge
    values = cv2.GaussianBlur(sparse, (0, 0), 8) + np.float32(1e-4) * usual
    weight = cv2.GaussianBlur(known, (0, 0), 8) + np.float32(1e-4)
    return np.clip(guided(values / weight), 0, LARGEST)


def edge_ratio_matting(
    grey: np.ndarray,
    *,
    reblur: float = 1.0,
    radius: int = 1,
    eps: float = 1e-7,
    trust: float = 1e-3,
    iterations: int = 300,
) -> np.ndarray:
    """Return the blur of edges by the ratio of gradients, spread by the matting Laplacian.

    The map solves (L + trust D) map = trust D sparse, D the edges. The Laplacian of windows of a guide is the
    number of pixels in a window times what a guided filter takes away, L p = n (p - guided(p)), so that
    conjugate gradients need no matrix.

    Parameters
    ----------
    grey, reblur : see `edge_ratio`
    radius, eps : windows of the Laplacian (the authors': 3x3) and its regularisation
    trust : lambda, how much an edge's value holds against smoothness
    iterations : most steps of conjugate gradients

    Returns
    -------
    (H, W) float32 in [0, 8], pixels of sigma

    References
    ----------
    Zhuo & Sim, Pattern Recognition 2011, equations 9 and 10; Levin et al., TPAMI 2008 (the Laplacian);
    He et al., CVPR 2010 (its product by box filters).
    """
    sparse, known = edge_blur(grey, reblur)
    guided = GuidedFilter(grey, radius=radius, eps=eps)
    count = (2 * radius + 1) ** 2

    def product(values: np.ndarray) -> np.ndarray:
        values = values.reshape(grey.shape).astype(np.float32)
        return (count * (values - guided(values)) + trust * known * values).ravel()

    system = LinearOperator((grey.size, grey.size), matvec=product, dtype=np.float32)
    start = edge_ratio(grey, reblur=reblur).ravel()
    solution, _ = cg(system, (trust * known * sparse).ravel(), x0=start, rtol=1e-4, maxiter=iterations)
    return np.clip(solution.reshape(grey.shape), 0, LARGEST).astype(np.float32)


def edge_blur(grey: np.ndarray, reblur: float) -> tuple[np.ndarray, np.ndarray]:
    """Return sigma at edges and where edges are, each (H, W) float32; sigma is 0 elsewhere."""
    edges = cv2.Canny(np.rint(grey * 255).astype(np.uint8), 40, 100) > 0
    again = cv2.GaussianBlur(grey, (0, 0), reblur)
    ratio = _gradient(grey) / np.maximum(_gradient(again), 1e-6)
    sigma = np.minimum(reblur / np.sqrt(np.maximum(ratio**2 - 1, 1e-2)), LARGEST)
    return np.where(edges, sigma, 0).astype(np.float32), edges.astype(np.float32)


def _gradient(grey: np.ndarray) -> np.ndarray:
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1)))
    return np.hypot(across, down)
