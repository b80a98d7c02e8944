import numpy as np
import pytest

from defocus_core.applications.fusion.homography import (
    as_homography,
    corner_distance,
    frame_corners,
    map_points,
    simplify,
)


def test_a_homography_that_is_affine_is_told_as_one():
    assert simplify(2 * np.eye(3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert simplify(np.array([[1, 0, 0], [0, 1, 0], [1e-3, 0, 1]])).shape == (3, 3)


def test_an_affine_map_is_a_homography_of_last_row_0_0_1():
    affine = np.array([[1, 2, 3], [4, 5, 6]])
    assert as_homography(affine).tolist() == [[1, 2, 3], [4, 5, 6], [0, 0, 1]]
    assert as_homography(2 * as_homography(affine)).tolist() == as_homography(affine).tolist()


def test_corners_by_hand():
    corners = frame_corners((3, 5))
    assert corners.T.tolist() == [[0, 0, 1], [4, 0, 1], [0, 2, 1], [4, 2, 1]]
    projective = np.array([[1, 0, 0], [0, 1, 0], [0.25, 0, 1]])
    assert map_points(projective, corners).T.tolist() == [[0, 0], [2, 0], [0, 2], [2, 1]]
    assert corner_distance(projective, np.eye(3), (3, 5)) == pytest.approx(2)
