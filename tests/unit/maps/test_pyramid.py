import cv2
import numpy as np
import pytest
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.blur.sigma_scale import MIN_SIGMA, SigmaScale
from defocus_core.io.color import to_grey
from defocus_core.maps.config import MapConfig
from defocus_core.maps.pipeline import estimate, predict_pyramid
from defocus_core.maps.pyramid import HALVING_VARIANCE, enlarge, merge, merge_levels, oversampling, upscale_level
from defocus_core.networks.storage import load_model


def test_answers_are_joined_by_their_certainties():
    values, certainty = merge(
        np.zeros((1, 4), np.float32),
        np.array([[1, 1, 0.5, 0]], np.float32),
        np.full((1, 4), 2, np.float32),
        np.array([[0, 1, 1, 0]], np.float32),
    )
    np.testing.assert_allclose(values, [[0, 1, 2 / 1.25, 0]], atol=1e-5)
    np.testing.assert_allclose(certainty, [[1, 1, 1, 0]])


def test_half_the_size_answers_in_pixels_of_the_whole_and_only_of_blur():
    for sigma, found in ((0, False), (4, True)):
        grey = gaussian_blur(to_grey(data.astronaut()), sigma)
        _, half = predict_pyramid(grey, model=load_model(), config=MapConfig(min_pyramid_side=200))
        values, certainty, _ = upscale_level(*half, max_sigma=12)
        assert bool(np.median(certainty) > 0.2) is found
        if found:
            assert 3.2 < np.median(np.exp(values)) < 4.8


def test_beyond_the_largest_level_half_the_size_decides():
    half = np.log(np.array([[0.1, 3, 11]], np.float32)), np.full((1, 3), 0.8, np.float32)
    values, certainty, beyond = upscale_level(*half, max_sigma=12)
    np.testing.assert_allclose(np.exp(values), [[0.2, 6, 22]], rtol=0.05)
    np.testing.assert_allclose(certainty, [[0, 0.7 * 0.8, 0.8]], atol=0.02)
    np.testing.assert_allclose(beyond, [[0, 0, 0.8]], atol=0.03)
    full = np.log(np.array([[2, 0.3, 2, 2, 10, 10]], np.float32)), np.full((1, 6), 0.8, np.float32)
    values, _ = merge_levels([tuple(part.copy() for part in full), half], max_sigma=12)
    assert np.exp(values)[0, 0] == pytest.approx(2, rel=0.05)
    assert 2 < np.exp(values)[0, 2] < 6
    assert 19 < np.exp(values)[0, 5] < 23


@pytest.mark.parametrize(("sharpest", "expected"), [(0.3, 0), (0.49, 0.5), (1.5, 1)])
def test_a_photograph_is_oversampled_where_nothing_is_as_sharp_as_its_pixels_allow(sharpest, expected):
    sigma, certainty = np.full((1, 100), 3, np.float32), np.full((1, 100), 0.8, np.float32)
    sigma[0, :3] = sharpest
    sigma[0, 3:9], certainty[0, 3:9] = 0.3, 0.1  # a guess
    assert oversampling(np.log(sigma + MIN_SIGMA), certainty) == pytest.approx(expected, abs=0.01)
    assert oversampling(np.log(sigma + MIN_SIGMA), certainty / 10) == 1  # nothing is surely sharp


def test_half_an_oversampled_photograph_counts_in_full_and_where_it_is_sharp():
    half = np.log(np.array([[0.1, 3]], np.float32)), np.full((1, 2), 0.8, np.float32)
    _, certainty, _ = upscale_level(*half, max_sigma=12, oversampled=1)
    np.testing.assert_allclose(certainty, 0.8, atol=0.01)


def test_an_enlarged_photograph_has_as_many_times_the_blur():
    image = data.coffee()[:300, :400]
    image[:, 200:] = gaussian_blur(image, 3)[:, 200:]
    enlarged = cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    sigma = np.median(estimate(image)[:, 220:])
    assert np.median(estimate(enlarged)[:, 660:]) == pytest.approx(3 * sigma, rel=0.1)
    sizes_alike = estimate(enlarged, config=MapConfig(judge_oversampling=False))
    assert np.median(sizes_alike[:, 660:]) < 0.9 * 3 * sigma


def test_half_the_size_says_the_same_of_sigma_and_of_its_logarithm():
    sigma, certainty = np.array([[0.3, 1.0, 3.0]], np.float32), np.ones((1, 3), np.float32)
    direct = upscale_level(sigma, certainty, max_sigma=12, scale=SigmaScale(logarithmic=False))
    values, *rest = upscale_level(np.log(sigma + MIN_SIGMA), certainty, max_sigma=12)
    np.testing.assert_allclose(np.exp(values) - MIN_SIGMA, direct[0], rtol=1e-4)
    np.testing.assert_allclose(rest, direct[1:], rtol=1e-4)
    expected = np.sqrt(4 * 3.0**2 - HALVING_VARIANCE)  # halving a photograph adds a blur of its own
    assert direct[0][0, 2] == pytest.approx(expected, rel=1e-4)


def test_a_copy_that_finds_much_blur_where_the_photograph_has_none_is_doubted():
    full = np.full((1, 100), np.log(0.4), np.float32), np.full((1, 100), 0.8, np.float32)
    half = full[0][:, :50].copy(), full[1][:, :50].copy()
    half[0][0, :2] = np.log(11)
    values, _ = merge_levels([full, half], max_sigma=12)
    np.testing.assert_allclose(np.exp(values[0, :2]), 0.4, rtol=0.1)


def test_a_grid_is_enlarged_from_its_upper_left_corner_and_cut_or_continued_to_a_shape():
    ramp = np.arange(4, dtype=np.float32)[None].repeat(3, axis=0)
    large = enlarge(ramp, 2, (5, 9))
    np.testing.assert_allclose(large[:, 1:7], (np.arange(1, 7)[None] - 0.5) / 2 * np.ones((5, 1)))
    np.testing.assert_array_equal(large[:, 7:], 3)


@pytest.mark.parametrize("side", [96, 97, 101, 105, 113])
def test_levels_of_any_size_are_merged_where_they_lie(side):
    """An edge stays at its place to a cell, although the cells of the levels end at different pixels."""
    grids = []
    for size in (side, side // 2, side // 4):
        blurred = np.arange(-(-size // 4)) * 4 * (side // size) >= 48
        values = np.where(blurred, np.log(4 / (side // size)), np.log(0.4)).astype(np.float32)[None]
        grids.append(
            (
                values.repeat(8, axis=0)[: max(8 * size // side, 1)],
                np.full_like(values, 0.8).repeat(8, axis=0)[: max(8 * size // side, 1)],
            )
        )
    values, _ = merge_levels(grids, max_sigma=12)
    assert values.shape == (8, -(-side // 4))
    crossing = np.flatnonzero(values[4] > np.log(1.3))[0]
    assert abs(crossing - 12) <= 1
