import numpy as np
import pytest

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.decide import focus_measures
from defocus_core.applications.fusion.exposure import exposures_differ, find_gains
from defocus_core.applications.fusion.view import make_view
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_dtype


def relit(image, factors):
    """Return the views of an image whose channels have other light, and of the image."""
    return make_view(linear_to_srgb(srgb_to_linear(image) * np.float32(factors))), make_view(image)


@pytest.mark.parametrize("factors", [(1.2, 1.2, 1.2), (0.6, 0.6, 0.6), (1.3, 1.0, 1 / 1.3)])
def test_by_default_light_and_white_balance_that_visibly_differ_are_matched(scene, factors):
    gains = find_gains(*relit(0.7 * scene, factors), None, None)
    np.testing.assert_allclose(gains, 1 / np.float32(factors), rtol=0.01)


@pytest.mark.parametrize("factor", [1.02, 1 / 1.02])
def test_by_default_light_that_hardly_differs_is_not_matched(scene, factor):
    assert find_gains(*relit(0.7 * scene, factor), None, None) is None


@pytest.mark.parametrize("dark", [0.2, 0.6, 0.9])
def test_a_dark_background_hides_no_change_of_exposure(scene, dark):
    scene = 0.7 * scene
    scene[: int(dark * len(scene))] = 0.005
    np.testing.assert_allclose(find_gains(*relit(scene, 0.6), None, None), 1 / 0.6, rtol=0.02)


def test_a_channel_that_is_black_keeps_its_light(scene):
    scene = 0.7 * scene * np.float32([1, 1, 0])
    np.testing.assert_allclose(find_gains(*relit(scene, 0.7), None, True), [1 / 0.7, 1 / 0.7, 1], rtol=0.02)


def test_what_is_not_shown_tells_nothing_of_exposure(scene):
    shot, shown = scene.copy(), np.ones(scene.shape[:2], bool)
    shot[:, 160:], shown[:, 160:] = 0.9, False
    assert find_gains(make_view(shot, shown), make_view(scene), None, None) is None


def test_blur_is_no_change_of_exposure():
    """A bright sign on a dark field: blur lightens the field around it and darkens the sign."""
    light = np.full((200, 300, 3), 0.02, np.float32)
    light[60:140, 40:120] = 0.9
    shot = linear_to_srgb(gaussian_blur(light, 30))
    assert find_gains(make_view(shot), make_view(linear_to_srgb(light)), None, None) is None


def test_what_hardly_shows_is_matched_in_part(scene):
    full, partly = (find_gains(*relit(0.7 * scene, factor), None, None)[0] for factor in (1.06, 1.043))
    assert full == pytest.approx(1 / 1.06, rel=0.002)
    assert 1 > partly > 1 / 1.043 + 0.01


def test_a_black_shot_has_no_exposure_to_match(scene):
    assert find_gains(make_view(np.zeros_like(scene)), make_view(scene), None, None) is None


def test_exposure_is_matched_where_neither_shot_is_clipped():
    rng = np.random.default_rng(0)
    light = np.full((200, 300), 0.1, np.float32) + 0.2 * rng.random((200, 300), dtype=np.float32)
    light[:, 200:] = 1.8  # white in the longer exposure, not in the shorter one
    reference, shot = linear_to_srgb(light), linear_to_srgb(light / 2)
    matched = Alignment(gains=find_gains(make_view(shot), make_view(reference), None, True)).apply(shot)
    np.testing.assert_allclose(srgb_to_linear(matched)[:, :150], light[:, :150], rtol=0.02)


def test_exposure_is_matched_in_light_channel_by_channel(scene):
    gains = np.float32([0.6, 0.7, 0.8])
    dark = linear_to_srgb(srgb_to_linear(gaussian_blur(scene, 2)) * gains)
    found = Alignment(gains=find_gains(make_view(dark), make_view(scene), None, True))
    np.testing.assert_allclose(found.gains, 1 / gains, rtol=0.02)
    deep = to_dtype(dark, np.uint16)
    assert found.apply(deep).dtype == np.uint16
    assert np.abs(as_float(found.apply(deep)) - gaussian_blur(scene, 2)).mean() < 0.005


@pytest.fixture(scope="module")
def plain_and_relit():
    """Measures of two shots of plain ground, the left half of the second one brighter."""
    rng = np.random.default_rng(0)
    ground = 0.5 + rng.normal(0, 0.005, (2, 128, 160)).astype(np.float32)
    ground[1, :, :80] += 0.1
    return [focus_measures(shot) for shot in ground]


@pytest.mark.parametrize(("shown", "differ"), [(np.s_[:, :80], True), (np.s_[:, 80:], False), (np.s_[:, :4], False)])
def test_flat_ground_tells_exposures_apart_where_both_shots_show_it(plain_and_relit, shown, differ):
    where = np.zeros((128, 160), bool)
    where[shown] = True
    assert exposures_differ(*plain_and_relit, where) == differ
