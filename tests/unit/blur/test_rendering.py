import numpy as np
import pytest

from defocus_core.blur import rendering
from defocus_core.blur.rendering import Scene, render_defocus, thin_lens_sigma
from defocus_core.evaluation.known_scenes import (
    center_squares,
    composite_scene,
)


def test_large_disks_in_a_smaller_copy_are_those_of_the_whole(monkeypatch):
    scene = composite_scene(*center_squares(250)[:2], np.random.default_rng(0))
    for focus in (0, 1):
        lens = {"focus": focus, "sigma_per_disparity": 30, "layers": 2, "aperture": "disk"}
        fast, sigma = render_defocus(scene, **lens)
        assert sigma.max() == 30
        with monkeypatch.context() as patched:
            patched.setattr(rendering, "MIN_DISK_RADIUS", np.inf)
            exact, _ = render_defocus(scene, **lens)
        assert fast.shape == exact.shape
        assert np.sqrt(((fast - exact) ** 2).mean()) < 0.006


def test_a_background_behind_thin_gaps_keeps_its_colour():
    bars = np.arange(240) % 12 < 6
    image = np.where(bars[:, None], 1.0, (0.1, 0, 0)).astype(np.float32)[None].repeat(200, 0)
    scene = Scene(image, bars.astype(np.float32)[None].repeat(200, 0))
    taken, _ = render_defocus(scene, focus=1, sigma_per_disparity=64, layers=2, aperture="disk")
    np.testing.assert_allclose(taken[:, ~bars], np.broadcast_to((0.1, 0, 0), (200, 120, 3)), atol=0.01)
    np.testing.assert_allclose(taken[:, bars], 1, atol=0.01)


def test_thin_lens_blur_is_the_textbooks():
    """A 50 mm f/2 lens at 1 m: objects at 2 m and 0.8 m against c = A f |d - d_f| / (d (d_f - f))."""
    aperture, focal, focus = 25.0, 50.0, 1000.0
    for distance in (2000.0, 800.0):
        textbook = aperture * focal * abs(distance - focus) / (distance * (focus - focal))
        strength = aperture * focal / (1 - focal / focus)
        mine = thin_lens_sigma(np.float32(1 / distance), focus=1 / focus, sigma_per_disparity=strength)
        assert mine == pytest.approx(textbook, rel=1e-4)


def test_a_scene_in_focus_is_the_scene_and_occlusion_is_true():
    image = np.zeros((60, 80, 3), np.float32)
    image[:, :40] = 1
    scene = Scene(image, (np.arange(80) < 40).astype(np.float32)[None].repeat(60, 0))
    front, sigma = render_defocus(scene, focus=1, sigma_per_disparity=4, layers=2)
    assert np.abs(front - image).max() < 1e-3
    assert sigma[0, 0] == 0
    assert sigma[0, 79] == 4
    back, _ = render_defocus(scene, focus=0, sigma_per_disparity=4, layers=2)
    assert back[30, 42].mean() > 0.2


def test_without_veils_a_sharp_background_keeps_its_colour_up_to_a_blurred_front():
    disparity = np.zeros((40, 40), np.float32)
    disparity[:, 20:] = 1
    scene = Scene(np.where(disparity[:, :, None] > 0, np.float32(0.9), np.float32(0.2)).repeat(3, 2), disparity)
    lens = {"focus": 0, "sigma_per_disparity": 4, "layers": 2}
    assert render_defocus(scene, **lens)[0][:, 19].min() > 0.4
    clear, sigma = render_defocus(scene, **lens, veils=False)
    np.testing.assert_allclose(clear[:, :20], 0.2, atol=1e-6)
    assert clear[:, 20].max() < 0.7  # the front's own blurred edge still shows what lies behind it
    assert sigma[0, [0, 39]].tolist() == [0, 4]
