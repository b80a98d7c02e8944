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
        ((0.8, 2.2), (1.2, 1.3)),  # a little less than halfway between the two in the logarithm
        ((0.15, 0.45), (0.5, 0.51)),  # nothing below the lower bound is out of focus
        ((4.0, 12.0), (1.99, 2.0)),  # nothing above the upper bound is in focus
        ((0.5, 0.8), (1.19, 1.2)),  # a photograph of about one blur is judged by that alone
        ((2.5, 3.5), (1.2, 1.21)),
        ((0.7, 0.7), (1.19, 1.2)),
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


@pytest.mark.parametrize(("subject", "expected"), [(3.0, 0.0), (0.4, 1.0)])
def test_a_plain_field_follows_the_subject_before_it(subject, expected):
    """The map of the field says the other thing, without evidence."""
    sigma = np.full((300, 320), 0.3 if subject > 1 else 4.0, np.float32)
    certainty = np.zeros_like(sigma)
    sigma[110:190, 120:200] = subject
    certainty[110:190, 120:200] = 0.5
    away = np.ones(sigma.shape, bool)
    away[50:250, 60:260] = False
    chance = in_focus(sigma, certainty=certainty)
    assert np.abs(chance[away] - expected).max() < 0.1
    assert np.abs(in_focus(sigma)[:20] - expected).min() > 0.9


def test_what_has_no_evidence_has_no_vote():
    sigma = np.repeat(np.array([[0.4, 0.9, 9.0]], np.float32), 60, axis=1).repeat(80, axis=0)
    certainty = np.repeat(np.array([[0.5, 0.5, 0.0]], np.float32), 60, axis=1).repeat(80, axis=0)
    assert just_noticeable_blur(sigma) == 2
    assert just_noticeable_blur(sigma, certainty=certainty) < 0.7


@pytest.mark.parametrize(("sure", "expected"), [(0.6, 0.0), (0.2, 1.0)])
def test_a_part_that_is_surely_blurred_needs_less_blur(sure, expected):
    sigma = np.repeat(np.array([[0.4, 0.7]], np.float32), 60, axis=1).repeat(80, axis=0)
    certainty = np.repeat(np.array([[0.5, sure]], np.float32), 60, axis=1).repeat(80, axis=0)
    chance = in_focus(sigma, certainty=certainty)
    assert chance[:, :60].min() > 0.9
    assert np.abs(chance[:, 60:] - expected).max() < 0.1


def test_what_has_evidence_is_judged_by_its_own_blur():
    sigma = np.repeat(np.array([[0.4, 4.0]], np.float32), 60, axis=1).repeat(80, axis=0)
    sure = np.full_like(sigma, 0.5)
    np.testing.assert_array_equal(in_focus(sigma, certainty=sure), in_focus(sigma))


def test_a_certainty_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(4, 5\)"):
        in_focus(np.ones((4, 6), np.float32), certainty=np.ones((4, 5), np.float32))


def test_a_map_of_any_numbers_is_judged_and_what_is_no_number_refused():
    assert in_focus(np.array([[0, 0, 4, 4]])).round(2).tolist() == [[1, 1, 0, 0]]
    with pytest.raises(ValueError, match="finite numbers, this one NaN"):
        in_focus(np.array([[0.3, np.nan]]))


def test_what_hangs_together_but_for_gaps_has_one_core():
    sigma = np.full((60, 100), 4, np.float32)
    sigma[10:40, 10:30] = 0.3
    sigma[25:27, [*range(34, 42), *range(46, 54)]] = 0.8  # an antenna in two pieces
    sigma[25:27, 75:95] = 0.8  # of something else
    chance = in_focus(sigma)
    assert chance[25:27, 34:42].min() > 0.9
    assert chance[25:27, 46:54].min() > 0.9
    assert chance[25:27, 75:].max() < 0.01
    assert chance[25:27, 42:46].max() < 0.01


def test_a_photograph_that_tells_nothing_is_neither_in_focus_nor_out_of_it():
    sigma = np.full((40, 50), 0.4, np.float32)
    np.testing.assert_array_equal(in_focus(sigma, certainty=np.zeros_like(sigma)), np.full_like(sigma, 0.5))
    assert in_focus(sigma).min() > 0.9
