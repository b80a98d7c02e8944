import numpy as np
import pytest

from defocus_core.applications.fusion.view import MAX_VIEW_SIDE, make_view


def test_a_large_shot_is_shrunk_and_its_places_are_known():
    shot = np.zeros((1800, 2400), np.uint8)
    shot[:, 1200:] = 255
    view = make_view(shot, shot > 0)
    assert view.grey.shape == (900, MAX_VIEW_SIDE)
    assert view.shape == (1800, 2400)
    assert view.shown.mean() == pytest.approx(0.5)
    np.testing.assert_allclose(view.to_shot @ [599.5, 0, 1], [1199.5, 0.5, 1])  # between the two halves


def test_a_view_is_in_linear_light():
    assert make_view(np.full((4, 4), 128, np.uint8)).grey[0, 0] == pytest.approx(0.2159, abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1, 3)])
def test_any_shot_has_a_view(shape):
    assert min(make_view(np.zeros(shape, np.uint8)).grey.shape) == 1


def test_a_dark_stack_is_seen_as_bright_as_others():
    levels = np.random.default_rng(0).integers(0, 4096, (40, 50)).astype(np.uint16)
    dark, full = make_view(levels), make_view(levels * 16)
    assert make_view(np.zeros((4, 4), np.uint8)).gain == 1
    assert full.gain == 1
    assert full.brightened(1) is full
    bright = dark.brightened(dark.gain)
    assert np.quantile(bright.grey, 0.999) == pytest.approx(0.5, abs=0.01)
    brighter = bright.brightened(2)
    assert brighter.pixels.max() == pytest.approx(1)
    np.testing.assert_allclose(brighter.grey[levels < 2048], 2 * bright.grey[levels < 2048], rtol=1e-3, atol=1e-6)
