import numpy as np
import pytest

from defocus_core.applications.fusion.composite import (
    EVEN,
    MEAN_SHARES,
    MIXED_LEVELS,
    SHARES,
    Composite,
    count_in_means,
    mix_into,
)
from defocus_core.applications.fusion.decide import FusionConfig


def measures(detail, grey=None, sigma=None):
    one = np.ones_like(detail)
    return np.stack([0.5 * one if grey is None else grey, detail, one if sigma is None else sigma])


def halves(shape=(60, 80)):
    left = np.full(shape, 0.01, np.float32)
    left[:, : shape[1] // 2] = 0.2
    return left, left[:, ::-1].copy()


@pytest.mark.parametrize("step", [1, 2])
def test_each_half_comes_from_its_sharper_shot(step):
    left, right = halves()
    shape = (60 * step, 80 * step)
    grey = np.where(np.arange(80) < 40, 0.2, 0.8).astype(np.float32)[None].repeat(60, 0)
    first, second = (np.full((*shape, 3), value, np.uint8) for value in (10, 200))
    shown = np.ones(shape, bool)
    composite = Composite.of_first(0, first, measures(left, grey), shown, count=2, step=step)
    composite.add(1, 0, second, measures(right, grey), shown)
    assert np.array_equal(composite.labels == 1, np.arange(shape[1])[None].repeat(shape[0], 0) >= 40 * step)
    assert np.array_equal(composite.image[..., 0] == 200, composite.labels == 1)
    np.testing.assert_allclose(composite.best[1], 0.2)


def test_nothing_is_taken_from_where_a_shot_shows_nothing():
    left, right = halves()
    shown, nothing = np.ones((60, 80), bool), np.zeros((60, 80), bool)
    composite = Composite.of_first(0, np.zeros((60, 80), np.uint8), measures(left), shown, count=2, step=1)
    composite.add(1, 0, np.full((60, 80), 9, np.uint8), measures(right), nothing)
    assert not composite.image.any()
    assert composite.shown.all()
    assert not composite.shared.any()


def test_a_preference_moves_the_border_of_a_front():
    left, right = halves((100, 200))
    blur = np.full((100, 200), 3, np.float32)
    taken = {}
    for prefer in (None, "front"):
        composite = Composite.of_first(
            0, np.zeros((100, 200), np.uint8), measures(left), np.ones((100, 200), bool), count=2, step=1
        )
        composite.add(
            1, 0, np.ones((100, 200), np.uint8), measures(right, sigma=blur), np.ones((100, 200), bool), prefer=prefer
        )
        taken[prefer] = int((composite.labels == 0).sum(1)[50])
    assert taken["front"] == taken[None] + 6


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_flat_ground_of_three_shots_is_their_mean_and_detail_is_of_one(dtype, step):
    rng, shape = np.random.default_rng(0), (60, 80)
    textured = np.arange(80)[None].repeat(60, 0) < 40
    large = (60 * step, 80 * step)
    shots = [rng.normal(100, 4, large).astype(dtype) for _ in range(3)]
    composite = None
    for index, shot in enumerate(shots):
        noise = rng.normal(0.01, 0.001, shape)
        seen = measures(np.where(textured, 0.2 / (1 + index), noise).astype(np.float32))
        if composite is None:
            composite = Composite.of_first(0, shot, seen, np.ones(large, bool), count=3, step=step)
        else:
            composite.add(index, index - 1, shot, seen, np.ones(large, bool))
    flat = slice(45 * step, None)
    assert np.array_equal(composite.image[:, : 38 * step], shots[0][:, : 38 * step])
    assert (composite.averaged[:, flat] == 3).all()
    error = composite.image[:, flat] - np.mean(shots, 0)[:, flat]
    assert np.abs(error).max() < (1e-4 if dtype == np.float32 else 1.01)


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("count", [2, 3])
def test_where_neither_shot_is_sharper_both_are_mixed(step, count):
    left, _ = halves()
    shape = (60 * step, 80 * step)
    shown, hidden = np.ones(shape, bool), np.zeros(shape, bool)
    hidden[: 30 * step] = True
    composite = Composite.of_first(0, np.zeros(shape, np.uint8), measures(left), shown, count=count, step=step)
    composite.add(1, 0, np.full(shape, 100, np.uint8), measures(left), ~hidden)
    assert not composite.image[hidden].any()
    assert ((composite.image[~hidden] > 45) & (composite.image[~hidden] < 55)).all()


def test_what_the_composite_does_not_show_is_not_mixed_in():
    left, _ = halves()
    shown = np.zeros((60, 80), bool)
    shown[30:] = True
    composite = Composite.of_first(0, np.zeros((60, 80), np.uint8), measures(left), shown, count=2, step=1)
    composite.add(1, 0, np.full((60, 80), 100, np.uint8), measures(left), np.ones((60, 80), bool))
    assert (composite.image[:30] == 100).all()
    assert (composite.image[30:] < 100).all()


def test_the_mean_of_flat_ground_goes_on_beyond_what_is_counted():
    rng, flat = np.random.default_rng(0), np.full((24, 32), 0.01, np.float32)
    shown, composite = np.ones((24, 32), bool), None
    for index in range(258):
        shot = np.rint(rng.normal(100, 4, (24, 32))).astype(np.uint8)
        if composite is None:
            composite = Composite.of_first(index, shot, measures(flat), shown, count=258, step=1)
        else:
            composite.add(index, index - 1, shot, measures(flat), shown, config=FusionConfig(network_weight=0))
    assert (composite.averaged == 255).all()
    assert (composite.image + composite.fraction / 256 - 100).std() < 0.4


def test_a_mean_begins_anew_where_a_shot_replaces_it():
    averaged, share = np.uint8([[3, 3, 3, 3, 255]]), np.float32([[0, 1, 0.5, 0, 0]])
    count_in_means(averaged, share, np.array([[False, False, False, True, True]]))
    assert averaged.tolist() == [[3, 1, 1, 4, 255]]
    np.testing.assert_allclose(share, [[0, 1, 0.5, 1 / 4, 1 / 255]])


def test_a_shot_that_replaces_a_mix_leaves_nothing_of_its_fraction():
    image, fraction = np.full((1, 2), 10, np.uint8), np.full((1, 2), 120, np.int8)
    mix_into(image, np.full((1, 2), 20, np.uint8), np.float32([[1, 0]]), fraction=fraction)
    assert image.tolist() == [[20, 10]]
    assert fraction.tolist() == [[0, 120]]


def test_a_shot_tells_nothing_of_where_it_shows_nothing():
    left, _ = halves()
    blurred, sharp = np.full((60, 80), 6, np.float32), np.full((60, 80), 0.5, np.float32)
    shown = np.arange(80)[None].repeat(60, 0) >= 40
    composite = Composite.of_first(
        0, np.zeros((60, 80), np.uint8), measures(left, sigma=blurred), np.ones((60, 80), bool), count=2, step=1
    )
    grey = np.full((60, 80), 0.9, np.float32)
    composite.add(1, 0, np.full((60, 80), 9, np.uint8), measures(left, grey, sigma=sharp), shown)
    assert (composite.least_sigma[:, :40] == 6).all()
    assert (composite.least_sigma[:, 40:] == 0.5).all()
    assert not composite.doubt[:, :40].any()
    assert composite.doubt[:, 40:].any()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_pixels_that_a_preference_turns_are_wholly_of_the_preferred_shot(dtype):
    left, right = halves((100, 200))
    shown, blur = np.ones((100, 200), bool), np.full((100, 200), 3, np.float32)
    top = np.iinfo(dtype).max if dtype == np.uint16 else 1
    composite = Composite.of_first(0, np.zeros((100, 200), dtype), measures(left), shown, count=2, step=1)
    composite.add(1, 0, np.full((100, 200), top, dtype), measures(right, sigma=blur), shown, prefer="front")
    assert not composite.image[:, 96:106][composite.labels[:, 96:106] == 0].any()


def test_a_clear_decision_mixes_nothing():
    assert (np.diff(SHARES) >= 0).all()
    assert SHARES[EVEN] == 0.5
    assert not SHARES[: EVEN - MIXED_LEVELS + 1].any()
    assert (SHARES[EVEN + MIXED_LEVELS :] == 1).all()


@pytest.mark.parametrize("count", [2, 3])
def test_without_seams_every_pixel_with_detail_is_copied(count):
    left, _ = halves()
    shown = np.ones((60, 80), bool)
    composite = Composite.of_first(0, np.zeros((60, 80), np.uint8), measures(left), shown, count=count, step=1)
    composite.add(1, 0, np.full((60, 80), 100, np.uint8), measures(left), shown, config=FusionConfig(seam_sigma=0))
    assert not composite.image[:, :40].any()


def test_a_running_mean_is_rounded():
    image = np.array([[[10, 20, 30]], [[10, 20, 30]]], np.uint8)
    mix_into(image, np.full((2, 1, 3), 15, np.uint8), np.float32([[0.5], [0]]))
    assert image.tolist() == [[[12, 18, 22]], [[10, 20, 30]]]


def test_the_mean_of_many_shots_keeps_what_rounding_would_lose():
    shots = np.random.default_rng(0).normal(100, 2, (30, 40, 50)).round().astype(np.uint8)
    image, fraction = shots[0].copy(), np.zeros((40, 50), np.int8)
    for count, shot in enumerate(shots[1:], 2):
        share = np.full((40, 50), MEAN_SHARES[count])
        mix_into(image, shot, share, fraction=fraction)
    assert np.abs(image - shots.mean(0)).max() < 0.6
    assert np.abs(image + fraction / 256 - shots.mean(0)).max() < 0.1
