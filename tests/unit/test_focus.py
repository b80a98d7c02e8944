import numpy as np
import pytest

from defocus_core import focus


def test_in_focus_is_half_at_the_just_noticeable_blur_and_falls():
    got = focus.in_focus(np.array([[0, 0.5, 2, 8]], np.float32), noticeable=2, slope=2)[0]
    np.testing.assert_allclose(got, [1, 16 / 17, 0.5, 1 / 17], rtol=1e-5)


@pytest.mark.parametrize(
    ("blurs", "expected"),
    [
        ((0.8, 2.0), (1.2, 1.35)),  # halfway between the two in the logarithm
        ((0.3, 0.45), (0.5, 0.5)),  # all sharp: nothing below the lower bound is out of focus
        ((4.0, 9.0), (2.0, 2.0)),  # all blurred: nothing above the upper bound is in focus
    ],
)
def test_the_just_noticeable_blur_divides_the_photograph_within_bounds(blurs, expected):
    sigma = np.repeat(np.array(blurs, np.float32), [40, 60])[None]
    least, most = expected
    assert least <= focus.just_noticeable(sigma, bounds=(0.5, 2.0)) <= most


def test_in_focus_takes_the_photographs_own_noticeable_blur():
    spread = np.exp(np.random.default_rng(0).normal(0, 0.1, 400)).astype(np.float32)
    crisp, middle, far = 0.5 * spread, 1.3 * spread, 4 * spread
    assert focus.in_focus(np.stack([middle, far]))[0].mean() > 0.9
    assert focus.in_focus(np.stack([crisp, middle]))[1].mean() < 0.1
