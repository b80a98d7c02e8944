import numpy as np
import pytest

from defocus_core.evaluation.baselines.local_statistics import entropy, laplacian_variance, standard_deviation


def test_a_window_of_two_levels_has_one_bit_and_half_their_difference():
    """Stripes one pixel wide: half of each window of 16 is dark."""
    grey = np.tile(np.float32([0.25, 0.75]), (40, 30))
    np.testing.assert_allclose(entropy(grey)[16:-16, 16:-16], -1, atol=1e-6)
    np.testing.assert_allclose(standard_deviation(grey)[16:-16, 16:-16], -0.25, atol=1e-5)


def test_the_laplacian_of_stripes_is_worked_by_hand():
    """It is +1 and -1 in turn, neighbours less twice the pixel, and its variance is 1."""
    grey = np.tile(np.float32([0.25, 0.75]), (40, 30))
    np.testing.assert_allclose(laplacian_variance(grey)[16:-16, 16:-16], -np.log(1 + 1e-6), atol=1e-4)


@pytest.mark.parametrize("method", [entropy, standard_deviation, laplacian_variance])
def test_a_narrower_window_sees_less_far(method):
    grey = np.full((41, 61), 0.5, np.float32)
    grey[:, 40:] = np.random.default_rng(0).random((41, 21))
    near, far = method(grey, window=4), method(grey, window=16)
    flat = method(np.full((41, 61), 0.5, np.float32))[0, 0]
    np.testing.assert_allclose(near[:, :35], flat, atol=1e-6)
    assert (far[20, 33:40] < flat - 1e-3).all()
