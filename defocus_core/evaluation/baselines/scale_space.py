"""Blur of edges at the scales where they live (Karaali & Jung)."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter
from scipy.sparse.linalg import spsolve

SCALES = np.arange(1, 5.5, 0.5)  # of the edge detector, pixels
MIN_RELIABLE = 4  # an edge is one at this many of the finest scales
LARGEST = 5.0


def edge_scale(grey: np.ndarray, *, reblur: float = 1.0, gamma: float = 2.4, coupling: float = 10.0) -> np.ndarray:
    """Return the blur of edges by gradients at two scales, the second chosen for each edge: sigma in pixels.

    The gradient of a step of blur sigma under a Gaussian derivative of sigma_1 is as
    1 / sqrt(sigma^2 + sigma_1^2), so that a ratio of two gives sigma. The second scale is half the coarsest
    at which the edge is still found. Values are smoothed along connected edges, then spread by the domain
    transform.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    reblur : sigma of the first derivative, pixels
    gamma : power that makes grey levels linear in light; 1 where they are
    coupling : how strongly neighbours on an edge are held together

    Returns
    -------
    (H, W) float32 in [0, 5], pixels of sigma; 0 all over where there is no edge

    References
    ----------
    Karaali & Jung, TIP 2018, sections III.A to III.C; constants as in the authors' published code. Gastal &
    Oliveira, TOG 2011 (the domain transform).
    """
    light = grey ** np.float32(gamma)
    found = np.stack([_edges(light, scale) for scale in SCALES])
    known = np.logical_and.reduce(found[:MIN_RELIABLE])
    if not known.any():
        return np.zeros_like(grey)
    scale = SCALES[found.cumprod(0).sum(0) - 1] / 2
    values = _along_edges(_edge_blur(light, known, scale, reblur), known, found.sum(0), coupling)
    return _propagate(values, known, grey)


def _edges(light: np.ndarray, scale: float) -> np.ndarray:
    """Return where Canny finds edges at a scale, (H, W) bool; strong is above 70 % of the gradients."""
    down, across = (gaussian_filter(light, scale, order=order) for order in ((1, 0), (0, 1)))
    size = np.hypot(down, across)
    top = float(size.max())
    if top < 1e-6:
        return np.zeros(light.shape, bool)
    unit = 16000 / top  # Canny takes gradients as 16-bit integers
    high = float(np.quantile(size, 0.7)) * unit
    dx, dy = (np.rint(part * unit).astype(np.int16) for part in (across, down))
    return cv2.Canny(dx, dy, 0.4 * high, high, L2gradient=True) > 0


def _edge_blur(light: np.ndarray, known: np.ndarray, scale: np.ndarray, reblur: float) -> np.ndarray:
    """Return sigma at the known edges, (edges,); 0 where the two gradients fit no blur."""
    first = _size(light, reblur)[known]
    second = np.zeros_like(first)
    scale = scale[known]
    for value in np.unique(scale):
        second[scale == value] = _size(light, value)[known][scale == value]
    ratio = (first / np.maximum(second, 1e-9)) ** 2
    square = (ratio * reblur**2 - scale**2) / np.where(np.abs(ratio - 1) < 1e-9, -1e-9, 1 - ratio)
    return np.minimum(np.sqrt(np.maximum(square, 0)), LARGEST)


def _size(light: np.ndarray, scale: float) -> np.ndarray:
    return np.hypot(*(gaussian_filter(light, scale, order=order) for order in ((1, 0), (0, 1))))


def _along_edges(values: np.ndarray, known: np.ndarray, votes: np.ndarray, coupling: float) -> np.ndarray:
    """Return (edges,) values near the given ones, the more so the more scales found them, and each other."""
    place = np.full(np.add(known.shape, 2), -1)
    place[1:-1, 1:-1][known] = np.arange(known.sum())
    pairs = []
    for shift in ((0, 1), (1, -1), (1, 0), (1, 1)):
        shifted = np.roll(place, shift, (0, 1))
        both = (place >= 0) & (shifted >= 0)
        pairs.append((place[both], shifted[both]))
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    joined = sparse.coo_array((np.ones(len(one)), (one, other)), (len(values), len(values)))
    joined = joined + joined.T
    trust = 1.0 + votes[known]
    system = sparse.diags_array(trust + 2 * coupling * joined.sum(1)) - 2 * coupling * joined
    return spsolve(system.tocsc(), trust * values)


def _propagate(values: np.ndarray, known: np.ndarray, grey: np.ndarray) -> np.ndarray:
    guide = cv2.merge([grey] * 3)
    guide = cv2.ximgproc.dtFilter(guide, guide, 7, 0.5, mode=cv2.ximgproc.DTF_RF, numIters=5)
    wide = max(min(grey.shape) / 8, 1)
    mask = known.astype(np.float32)
    full = np.zeros_like(mask)
    full[known] = values
    sums, weights = (
        cv2.ximgproc.dtFilter(guide, array, wide, 3.75, mode=cv2.ximgproc.DTF_RF, numIters=5) for array in (full, mask)
    )
    tiny = np.float32(1e-6)
    return np.clip((sums + tiny * np.float32(values.mean())) / (weights + tiny), 0, LARGEST)
