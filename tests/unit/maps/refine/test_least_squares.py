import cv2
import numpy as np
import pytest

from defocus_core.maps.refine import least_squares
from defocus_core.maps.refine.least_squares import propagate


def dense_solution(values, weight, guide, smoothness, contrast):
    """Minimise the energy by a dense matrix, pair by pair."""
    height, width = values.shape
    matrix = np.diag(weight.ravel().astype(float))
    for r in range(height):
        for c in range(width):
            for other in ((r + 1, c), (r, c + 1)):
                if other[0] == height or other[1] == width:
                    continue
                distance = np.linalg.norm(np.atleast_1d(guide[r, c] - guide[other]))
                tie = smoothness * np.exp(-distance / contrast)
                one, two = r * width + c, other[0] * width + other[1]
                matrix[[one, two], [one, two]] += tie
                matrix[[one, two], [two, one]] -= tie
    return np.linalg.solve(matrix, (weight * values).ravel()).reshape(height, width)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_solution_is_the_dense_one(channels):
    rng = np.random.default_rng(0)
    values, weight = rng.random((2, 13, 17), dtype=np.float32)
    guide = rng.random((13, 17, *channels), dtype=np.float32)
    got = propagate(values, weight + 0.1, guide, smoothness=5, contrast=0.3, passes=60)
    expected = dense_solution(values, weight + 0.1, guide, 5, 0.3)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_three_pixels_by_hand():
    """Weights 1, 0.5, 1 and ties of 1: rows (2 -1 0), (-1 2.5 -1), (0 -1 2) against (0, 0, 6)."""
    values = np.array([[0, 0, 6]], np.float32)
    weight = np.array([[1, 0.5, 1]], np.float32)
    got = propagate(values, weight, np.zeros((1, 3), np.float32), smoothness=1, contrast=0.1)
    np.testing.assert_allclose(got, [[1, 2, 4]], atol=1e-5)


def test_a_pair_is_tied_as_the_less_smooth_of_the_two():
    """Ties of 1 and 1/2: rows (2 -1 0), (-1 2 -.5), (0 -.5 1.5) against (0, 0, 7)."""
    values, smoothness = np.array([[0, 0, 7]], np.float32), np.array([[1, 3, 0.5]], np.float32)
    weight = np.array([[1, 0.5, 1]], np.float32)
    got = propagate(values, weight, np.zeros((1, 3), np.float32), smoothness=smoothness, contrast=0.1)
    np.testing.assert_allclose(got, [[0.875, 1.75, 5.25]], atol=1e-5)


def test_coarser_grids_bring_a_far_value_near():
    """One certain column carries its value over 192 flat pixels, in 8 passes on the finest grid."""
    values, weight = np.zeros((192, 192), np.float32), np.full((192, 192), 1e-6, np.float32)
    values[:, 0], weight[:, 0] = 1, 1
    flat = np.zeros((192, 192), np.float32)
    got = propagate(values, weight, flat, smoothness=1000, contrast=0.1)
    assert got.min() > 0.9


def test_an_edge_of_the_guide_keeps_two_sides_apart():
    guide = np.zeros((40, 60), np.float32)
    guide[:, 30:] = 1
    values = np.where(guide > 0, 5, 1).astype(np.float32)
    got = propagate(values, np.ones_like(values), guide, smoothness=1000, contrast=0.02)
    np.testing.assert_allclose(got, values, atol=1e-4)


@pytest.mark.parametrize("exponent", [-21.25, -20.0, -19.0])
def test_values_whose_squares_are_no_numbers_any_more_are_propagated(exponent):
    rng = np.random.default_rng(0)
    weight = np.float32(10) ** rng.uniform(-4, -1, (96, 128)).astype(np.float32)
    values = (10.0 ** (exponent + rng.uniform(-1, 1, weight.shape))).astype(np.float32)
    assert np.isfinite(propagate(values, weight, np.zeros_like(values), smoothness=10, contrast=1)).all()


def test_tiles_leave_no_seam(monkeypatch):
    rng, shape = np.random.default_rng(0), (150, 200)
    values = 10 * cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 4)
    guide = cv2.GaussianBlur(rng.uniform(0, 1, (*shape, 3)).astype(np.float32), (0, 0), 2)
    weight = rng.uniform(0.05, 1, shape).astype(np.float32)
    whole = propagate(values, weight, guide, smoothness=100, contrast=0.05)
    monkeypatch.setattr(least_squares, "MIN_TILED_PIXELS", 10_000)
    monkeypatch.setattr(least_squares, "TILE_SIDE", 64)
    tiled = propagate(values, weight, guide, smoothness=100, contrast=0.05, tiled=True)
    assert not np.array_equal(tiled, whole)
    steps, across = (np.abs(np.diff(result, axis=1)).mean(0) for result in (whole, tiled))
    np.testing.assert_allclose(across[[63, 127]], steps[[63, 127]], atol=2e-3)
    np.testing.assert_allclose(tiled, whole, atol=0.05)
