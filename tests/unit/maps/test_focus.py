import numpy as np
import pytest

from defocus_core.maps.focus import in_focus, is_all_in_focus, just_noticeable_blur, own_blur


def test_a_region_in_focus_comes_near_the_sharpest_of_the_photograph():
    sigma = np.full((40, 100), 4, np.float32)
    sigma[10:30, 10:30] = 0.8
    sigma[15:25, 15:25] = 0.3  # the core of the first region
    sigma[10:30, 60:80] = 0.8  # a second without one
    chance = in_focus(sigma)
    assert chance[10:30, 10:30].min() > 0.9
    assert chance[:, 50:].max() < 1e-3
    alike = in_focus(sigma, core=np.inf)
    np.testing.assert_array_equal(alike[10:30, 10:30], chance[10:30, 10:30])
    assert alike[10:30, 60:80].min() > 0.9
    sigma[20, 70] = 0.37  # near the sharpest is enough, and 8-connected
    assert in_focus(sigma)[10:30, 60:80].min() > 0.9


@pytest.mark.parametrize(
    ("blurs", "expected"),
    [
        ((0.8, 2.0), (1.15, 1.25)),  # a little less than halfway between the two in the logarithm
        ((0.3, 0.45), (0.5, 0.5)),  # all sharp: nothing below the lower bound is out of focus
        ((4.0, 9.0), (2.0, 2.0)),  # all blurred: nothing above the upper bound is in focus
    ],
)
def test_the_just_noticeable_blur_divides_the_photograph_within_bounds(blurs, expected):
    sigma = np.repeat(np.array(blurs, np.float32), [40, 60])[None]
    least, most = expected
    assert least <= just_noticeable_blur(sigma, bounds=(0.5, 2.0)) <= most


def test_in_focus_takes_the_photographs_own_noticeable_blur():
    spread = np.exp(np.random.default_rng(0).normal(0, 0.1, 400)).astype(np.float32)
    crisp, middle, far = 0.5 * spread, 1.3 * spread, 4 * spread
    assert in_focus(np.stack([middle, far]))[0].mean() > 0.9
    assert in_focus(np.stack([crisp, middle]))[1].mean() < 0.1


def test_a_photograph_blurred_in_part_is_not_in_focus_all_over():
    sigma = np.full((10, 100), 0.6, np.float32)
    assert is_all_in_focus(sigma, min_fraction=1)
    sigma[:, 60:] = 1.5
    assert not is_all_in_focus(sigma, min_fraction=0.7)
    assert is_all_in_focus(sigma, min_fraction=0.6)


@pytest.mark.parametrize(("map_level", "own"), [(0.3, 0.0), (0.45, 0.0), (0.8, 0.72)])
def test_a_soft_photograph_has_a_blur_of_its_own(map_level, own):
    assert own_blur(np.full((4, 4), map_level, np.float32)) == pytest.approx(own, abs=0.01)
