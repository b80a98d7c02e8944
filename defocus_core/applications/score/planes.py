"""Find the sharpest plane of a stack, with its confidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from defocus_core.applications.score.sampling import sample_map
from defocus_core.blur.sigma_scale import MIN_SIGMA
from defocus_core.networks.classifier import Classifier

BLOCKS, RESAMPLES = 8, 500  # blocks to a side of the frame, and draws of them


@dataclass(frozen=True)
class Planes:
    """The sharpest plane of a stack.

    Parameters
    ----------
    sharpest : its index from 0; None where nothing tells of blur
    confidence : share of the draws of blocks of the frame in which it is the sharpest, in [0, 1]; of two planes alike
        each has half, 0 where none is
    sigmas : (planes,) float64, geometric mean of sigma in pixels where any plane tells of blur; NaN of a plane that
        tells nothing anywhere
    """

    sharpest: int | None
    confidence: float
    sigmas: np.ndarray


def sharpest_plane(shots: Iterable[np.ndarray], *, model: Classifier | str | None = None, seed: int = 0) -> Planes:
    """Find the plane of a stack that is sharpest in the mean over all that some plane shows.

    Parameters
    ----------
    shots : images of one size, as for `estimate`, one a plane; one at a time is held
    model : as for `estimate`
    seed : of the draws of blocks that give the confidence

    Raises
    ------
    ValueError
        If there are no shots, or their sizes differ.

    References
    ----------
    Efron, Bootstrap methods, Annals of Statistics 1979; blocks, since neighbours are alike.
    """
    sizes, planes = set(), []
    for shot in shots:
        sizes.add(shot.shape[:2])
        if len(sizes) > 1:
            break
        found = sample_map(shot, model=model)
        planes.append((found.evident, np.log(np.maximum(found.sigma, MIN_SIGMA))))
    if len(sizes) != 1:
        raise ValueError(f"the planes of a stack have one size, not {', '.join(map(str, sorted(sizes))) or 'none'}")
    evident, values = (np.stack(found) for found in zip(*planes, strict=True))
    counted = np.asarray(evident.any(0))
    if not counted.any():
        return Planes(None, 0.0, np.full(len(planes), np.nan))
    blurred = np.where(evident, values, -np.inf).max(0)  # a plane that shows nothing there is at least as blurred
    values = np.where(evident, values, np.where(counted, np.maximum(values, blurred), 0))
    sums = np.array([_block_sums(np.where(counted, plane, 0)) for plane in values])
    counts = _block_sums(counted)
    draws = np.random.default_rng(seed).multinomial(counts.size, np.full(counts.size, 1 / counts.size), RESAMPLES)
    means = np.where(evident.any((1, 2)), sums.sum(1) / counts.sum(), np.inf)
    sharpest = int(np.argmin(means))
    drawn = sums @ draws[draws @ counts > 0].T
    best = drawn == drawn.min(0)
    confidence = float((best[sharpest] / best.sum(0)).mean())
    return Planes(sharpest, confidence, np.where(np.isinf(means), np.nan, np.exp(means)))


def _block_sums(values: np.ndarray) -> np.ndarray:
    """Return the sums of values over the blocks of a frame, (blocks,) float64."""
    shape = tuple(min(BLOCKS, length) for length in values.shape)
    rows, columns = (np.arange(length) * count // length for length, count in zip(values.shape, shape, strict=True))
    sums = np.zeros(shape)
    np.add.at(sums, (rows[:, None], columns[None]), values)
    return sums.ravel()
