import numpy as np
import pytest
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.blur.sigma_scale import MIN_SIGMA, SigmaScale
from defocus_core.io.color import to_grey
from defocus_core.maps.config import MapConfig
from defocus_core.maps.pipeline import predict_pyramid
from defocus_core.maps.pyramid import HALVING_VARIANCE, merge, merge_levels, upscale_level
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
    full = np.log(np.array([[2, 2, 10]], np.float32)), np.full((1, 3), 0.8, np.float32)
    values, _ = merge_levels([tuple(part.copy() for part in full), half], max_sigma=12)
    assert np.exp(values)[0, 0] == pytest.approx(2, rel=0.05)
    assert 2 < np.exp(values)[0, 1] < 6
    assert 19 < np.exp(values)[0, 2] < 23


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
    half = full[0].copy(), full[1].copy()
    half[0][0, :2] = np.log(11)
    values, _ = merge_levels([full, half], max_sigma=12)
    np.testing.assert_allclose(np.exp(values[0, :2]), 0.4, rtol=0.1)
