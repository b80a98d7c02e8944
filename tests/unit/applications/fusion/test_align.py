import cv2
import numpy as np
import pytest
from skimage import data

from defocus_core.applications.fusion.align import Alignment, find_alignment, find_gains
from defocus_core.applications.fusion.stack import fuse
from defocus_core.applications.fusion.view import make_view
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation import metrics
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_dtype


def defocused(image, sigma):
    """Blur in linear light, as a lens does."""
    return linear_to_srgb(gaussian_blur(srgb_to_linear(image), sigma))


def relit(image, factors):
    """Return the views of an image whose channels have other light, and of the image."""
    return make_view(linear_to_srgb(srgb_to_linear(image) * np.float32(factors))), make_view(image)


MATRIX = np.float32([[1.01, 0.01, -3.4], [-0.008, 1.006, 2.3]])


def moved(image):
    size, border = image.shape[1::-1], cv2.BORDER_REFLECT_101
    return np.clip(cv2.warpAffine(image, MATRIX, size, flags=cv2.INTER_CUBIC, borderMode=border), 0, 1)


def test_a_moved_and_defocused_shot_is_brought_back(scene):
    shot = defocused(moved(scene), 2)
    found = find_alignment(shot, scene, register=True, match_exposure=False)
    corners = np.float32([[20, 20, 1], [300, 20, 1], [20, 300, 1], [300, 300, 1]])
    assert np.abs(corners @ (found.matrix - MATRIX).T).max() < 0.15
    inside = (slice(20, -20), slice(20, -20))
    assert metrics.psnr(found.apply(moved(scene))[inside], scene[inside]) > 30


def breathing(scene, *, count, rate, slope):
    """Return shots whose focus goes from left to right, each enlarged a little more, and what moved them."""
    height, width = scene.shape[:2]
    blurred = np.stack([defocused(scene, slope * step) for step in range(count)])
    columns, nearest = np.arange(width), np.linspace(0, count - 1, width)
    shots, matrices = [], []
    for index in range(count):
        away = np.rint(np.abs(nearest - index)).astype(int)
        shot = np.ascontiguousarray(blurred[away, :, columns].swapaxes(0, 1))
        matrices.append(cv2.getRotationMatrix2D((width / 2, height / 2), 0, 1 + rate * index))
        shot = cv2.warpAffine(shot, matrices[-1], (width, height), borderMode=cv2.BORDER_REFLECT_101)
        shots.append(np.clip(shot, 0, 1))
    return shots, matrices


def test_a_shot_that_shares_too_little_with_the_first_is_led_to_it_by_the_one_before():
    bricks = as_float(data.brick()[40:360, 60:380])
    shots, matrices = breathing(bricks, count=16, rate=0.003, slope=0.5)
    corners = np.float32([[0, 0, 1], [320, 0, 1], [0, 320, 1], [320, 320, 1]])
    before = None
    for shot, matrix in zip(shots[1:], matrices[1:], strict=True):
        found = find_alignment(shot, shots[0], register=True, match_exposure=False, before=before)
        assert np.abs(corners @ (found.matrix - matrix).T).max() < 0.5
        before = shot, found
    with pytest.raises(ValueError, match=r"share too little|cannot be trusted"):
        find_alignment(shots[-1], shots[0], register=True, match_exposure=False)


def test_no_pixel_comes_from_outside_the_frame_of_its_shot(scene):
    shots, matrices = breathing(scene, count=8, rate=0.006, slope=1)
    found = fuse(shots, register=True)
    y, x = np.mgrid[:320, :320]
    for index, matrix in enumerate(matrices):
        place = np.stack([x, y, np.ones_like(x)], 2)[found.labels == index] @ matrix.T
        assert ((place > -2) & (place < 322)).all()
    assert (found.labels == 7).any()
    assert (found.labels[:, -1] != 7).all()


def test_a_pixel_is_inside_where_the_shot_saw_it():
    inside = Alignment(np.float32([[1, 0, 3], [0, 1, -2]])).inside((6, 8))
    assert inside.sum(0).tolist() == [5, 5, 5, 5, 5, 5, 0, 0]
    assert not inside[0].any()
    assert Alignment().inside((6, 8)).all()


def test_exposure_is_matched_in_light_channel_by_channel(scene):
    gains = np.float32([0.6, 0.7, 0.8])
    dark = linear_to_srgb(srgb_to_linear(gaussian_blur(scene, 2)) * gains)
    found = find_alignment(dark, scene, register=False, match_exposure=True)
    np.testing.assert_allclose(found.gains, 1 / gains, rtol=0.02)
    deep = to_dtype(dark, np.uint16)
    assert found.apply(deep).dtype == np.uint16
    assert np.abs(as_float(found.apply(deep)) - gaussian_blur(scene, 2)).mean() < 0.005


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


@pytest.mark.parametrize("shape", [(1, 1200), (2, 1500), (1500, 2, 3), (1, 1, 3)])
def test_thin_shots_fuse(shape):
    shots = np.random.default_rng(0).integers(0, 255, (2, *shape), dtype=np.uint8)
    assert fuse([*shots]).image.shape == shape


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


def test_nothing_asked_changes_nothing(scene):
    found = find_alignment(scene, scene, register=False, match_exposure=False)
    assert np.array_equal(found.apply(scene), scene)


def test_what_shares_nothing_is_refused(scene):
    noise = np.random.default_rng(0).uniform(0, 1, scene.shape).astype(np.float32)
    with pytest.raises(ValueError, match="could not be registered"):
        find_alignment(np.zeros_like(scene), noise, register=True, match_exposure=False)


def test_unregistered_shots_of_other_exposure_fuse(scene):
    soft = defocused(scene, 4)
    near, far = scene.copy(), scene.copy()
    near[:, 160:], far[:, :160] = soft[:, 160:], soft[:, :160]
    far = linear_to_srgb(srgb_to_linear(moved(far)) * np.float32(0.7))
    plain = fuse([near, far], match_exposure=False)
    aligned = fuse([near, far], register=True, match_exposure=True)
    inside = (slice(20, -20), slice(20, -20))
    scores = [metrics.psnr(fusion.image[inside], scene[inside]) for fusion in (plain, aligned)]
    assert scores[1] > scores[0] + 8
    assert scores[1] > 30


def test_exposure_is_matched_where_neither_shot_is_clipped():
    rng = np.random.default_rng(0)
    light = np.full((200, 300), 0.1, np.float32) + 0.2 * rng.random((200, 300), dtype=np.float32)
    light[:, 200:] = 1.8  # white in the longer exposure, not in the shorter one
    reference, shot = linear_to_srgb(light), linear_to_srgb(light / 2)
    matched = find_alignment(shot, reference, register=False, match_exposure=True).apply(shot)
    np.testing.assert_allclose(srgb_to_linear(matched)[:, :150], light[:, :150], rtol=0.02)


def test_a_shift_of_an_eighth_of_the_frame_is_found():
    image = as_float(data.astronaut())
    shot, reference = image[100:340, 60:460], image[130:370, 110:510]
    matrix = find_alignment(shot, reference, register=True, match_exposure=False).matrix
    np.testing.assert_allclose(matrix, [[1, 0, 50], [0, 1, 30]], atol=0.3)


def test_a_registration_that_turns_a_shot_over_is_not_trusted():
    image = as_float(data.astronaut()[:200, :200])
    with pytest.raises(ValueError, match=r"could not be registered|cannot be trusted: scale .* correlation"):
        find_alignment(np.ascontiguousarray(image[::-1]), image, register=True, match_exposure=False)
