import numpy as np
import pytest

from defocus_core.applications.fusion.composite import Composite


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
