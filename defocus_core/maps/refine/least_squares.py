"""Weighted least squares: propagate certain values up to the edges of the image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np

MIN_GRID_SIDE = 24  # pixels of the shorter side below which no coarser grid is made
FINEST_PASSES, MAX_PASSES = 8, 200  # of conjugate gradients on the finest grid, and on the coarsest
MORE_PASSES = 3  # times as many on a grid half as fine
MIN_TILED_PIXELS = 2**19
TILE_SIDE = 256  # pixels, whose arrays the processor's cache holds


def propagate(
    values: np.ndarray,
    weight: np.ndarray,
    guide: np.ndarray,
    *,
    smoothness: float | np.ndarray,
    contrast: float,
    tiled: bool = False,
    passes: int = FINEST_PASSES,
) -> np.ndarray:
    """Propagate weighted values over a map, up to the edges of a guide.

    The result x nearly minimises, with pq the pairs of neighbours in rows and columns::

        sum_p weight_p (x_p - values_p)^2
            + sum_pq min(smoothness_p, smoothness_q) * exp(-|guide_p - guide_q| / contrast) * (x_p - x_q)^2

    Parameters
    ----------
    values : (H, W) float32
    weight : (H, W) float32, above 0
    guide : (H, W) or (H, W, C) float32 in [0, 1]
    smoothness : of neighbours of the same colour, against a weight of 1, of all alike or (H, W) float32
    contrast : distance of colours, in grey levels of 0..1, at which that falls to 1 / e
    tiled : solve grids of 524,288 pixels and more tile by tile, on all threads of OpenCV; a tile overlaps the next by
        as many pixels as there are passes, which is as far as they reach
    passes : of conjugate gradients on the finest grid; three times as many on each coarser one

    Returns
    -------
    (H, W) float32

    Notes
    -----
    Conjugate gradients, started from the solution on a grid half as fine, whose affinities are those of the
    shrunken guide: time and memory are linear in pixels. Their passes are few, so that over large regions
    something is left of the way to the minimum: of the logarithm of sigma in photographs of 640x427, .07 on average.
    That is no loss: the minimum evens out more of what changes gradually.

    References
    ----------
    Lischinski et al., Interactive local adjustment of tonal values, SIGGRAPH 2006, equation 1 (the energy,
    with another affinity). Bornemann & Deuflhard, The cascadic multigrid method for elliptic problems,
    Numerische Mathematik 1996 (the solver).
    """
    grids = [(values * weight, weight, guide, smoothness)]
    while min(grids[-1][1].shape) >= 2 * MIN_GRID_SIDE:
        pull, weight, guide, smoothness = map(_halve, grids[-1])
        grids.append((pull, weight, guide, smoothness))
    solution, coarsest = grids[-1][0] / grids[-1][1], len(grids) - 1
    for coarseness in range(coarsest, -1, -1):
        pull, weight, guide, smoothness = grids.pop()
        here, many = smoothness / 4**coarseness, MAX_PASSES
        if coarseness < coarsest:
            solution = cv2.resize(solution, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
            many = min(passes * MORE_PASSES**coarseness, MAX_PASSES)
        if tiled and weight.size >= MIN_TILED_PIXELS:
            solution = _solve_tiles(pull, weight, guide, solution, smoothness=here, contrast=contrast, passes=many)
        else:
            system = _NormalEquations(weight, guide, here, contrast)
            del guide  # of a large photograph it takes as much memory as the rest
            solution = system.solve(pull, solution, passes=many)
    return solution


def _solve_tiles(
    pull: np.ndarray,
    weight: np.ndarray,
    guide: np.ndarray,
    start: np.ndarray,
    *,
    smoothness: float | np.ndarray,
    contrast: float,
    passes: int,
) -> np.ndarray:
    """Solve the equations of overlapping tiles, each from the same start."""
    solution, (height, width) = np.empty_like(start), start.shape

    def solve(corner: tuple[int, int]) -> None:
        top, left = corner
        outer = tuple(slice(max(0, at - passes), at + TILE_SIDE + passes) for at in corner)
        system = _NormalEquations(weight[outer], guide[outer], _part(smoothness, outer), contrast)
        found = system.solve(pull[outer], start[outer], passes=passes)
        inner = solution[top : top + TILE_SIDE, left : left + TILE_SIDE]
        first = top - outer[0].start, left - outer[1].start
        inner[:] = found[first[0] : first[0] + inner.shape[0], first[1] : first[1] + inner.shape[1]]

    corners = [(top, left) for top in range(0, height, TILE_SIDE) for left in range(0, width, TILE_SIDE)]
    with ThreadPoolExecutor(max(1, cv2.getNumThreads())) as pool:
        list(pool.map(solve, corners))
    return solution


class _NormalEquations:
    """The normal equations of the energy, by differences of neighbours, which single precision can hold."""

    def __init__(self, weight: np.ndarray, guide: np.ndarray, smoothness: float | np.ndarray, contrast: float):
        self._weight = weight
        self._right = _ties(guide, smoothness, contrast, np.s_[:, 1:], np.s_[:, :-1])
        self._down = _ties(guide, smoothness, contrast, np.s_[1:], np.s_[:-1])
        self._across, self._along = np.empty_like(self._right), np.empty_like(self._down)

    def solve(self, pull: np.ndarray, start: np.ndarray, *, passes: int) -> np.ndarray:
        """Run conjugate gradients, preconditioned by the diagonal."""
        solution, inverse = start.copy(), 1 / self._diagonal()
        product, scaled = np.empty_like(start), np.empty_like(start)
        residual = pull - self._times(start, product)
        direction = residual * inverse
        size = first = np.vdot(residual, direction)
        for _ in range(passes):
            if size <= max(1e-12 * first, float(np.finfo(np.float32).tiny)):  # what is less has no quotient
                break
            pace = size / np.vdot(direction, self._times(direction, product))
            solution += np.multiply(direction, pace, out=scaled)
            product *= pace
            residual -= product
            np.multiply(residual, inverse, out=scaled)
            last, size = size, np.vdot(residual, scaled)
            direction *= size / last
            direction += scaled
        return solution

    def _diagonal(self) -> np.ndarray:
        diagonal = self._weight.copy()
        diagonal[:, :-1] += self._right
        diagonal[:, 1:] += self._right
        diagonal[:-1] += self._down
        diagonal[1:] += self._down
        return diagonal

    def _times(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        across = np.subtract(x[:, 1:], x[:, :-1], out=self._across)
        across *= self._right
        along = np.subtract(x[1:], x[:-1], out=self._along)
        along *= self._down
        np.multiply(self._weight, x, out=out)
        out[:, :-1] -= across
        out[:, 1:] += across
        out[:-1] -= along
        out[1:] += along
        return out


def _ties(guide: np.ndarray, smoothness: float | np.ndarray, contrast: float, one: Any, other: Any) -> np.ndarray:
    """Return how strongly each pixel of a part is tied to its neighbour in another."""
    ties = _affinity(guide[one], guide[other], contrast)
    ties *= np.minimum(_part(smoothness, one), _part(smoothness, other))
    return ties


def _part(smoothness: float | np.ndarray, where: Any) -> float | np.ndarray:
    return smoothness[where] if isinstance(smoothness, np.ndarray) else smoothness


def _affinity(guide: np.ndarray, neighbours: np.ndarray, contrast: float) -> np.ndarray:
    if guide.ndim == 2:
        distance = np.abs(guide - neighbours)
    else:
        distance = np.zeros(guide.shape[:2], np.float32)
        for channel in range(guide.shape[2]):  # all at once would take three times the memory
            distance += (guide[:, :, channel] - neighbours[:, :, channel]) ** 2
        np.sqrt(distance, out=distance)
    distance *= np.float32(-1 / contrast)
    return np.exp(distance, out=distance)


def _halve(grid: Any) -> Any:
    """Return a grid of half the size; a number stays as it is."""
    if not isinstance(grid, np.ndarray):
        return grid
    size = (grid.shape[1] // 2, grid.shape[0] // 2)
    return cv2.resize(grid, size, interpolation=cv2.INTER_AREA)
