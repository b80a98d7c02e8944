"""Maps of the plane: 3x3 homographies, of which affine ones are stored as 2x3."""

from __future__ import annotations

import numpy as np


def as_homography(matrix: np.ndarray) -> np.ndarray:
    """Return an affine map or a homography as (3, 3) float64."""
    matrix = np.asarray(matrix, np.float64)
    return np.vstack([matrix, [0, 0, 1]]) if matrix.shape == (2, 3) else matrix / matrix[2, 2]


def simplify(matrix: np.ndarray) -> np.ndarray:
    """Return a homography, as (2, 3) where it is affine."""
    matrix = matrix / matrix[2, 2]
    return matrix[:2] if np.abs(matrix[2, :2]).max() < 1e-12 else matrix


def frame_corners(shape: tuple[int, int]) -> np.ndarray:
    """Return the corners of a frame, (3, 4): columns, rows, ones."""
    height, width = shape
    return np.array([[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1], [1, 1, 1, 1]], np.float64)


def map_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return where a map takes points, (2, N) of (3, N)."""
    found = as_homography(matrix) @ points
    return found[:2] / found[2]


def corner_distance(one: np.ndarray, other: np.ndarray, shape: tuple[int, int]) -> float:
    """Return by how many pixels, along an axis, two maps differ at most at the corners of a frame."""
    corners = frame_corners(shape)
    return float(np.abs(map_points(one, corners) - map_points(other, corners)).max())
