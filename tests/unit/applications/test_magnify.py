import cv2
import numpy as np
import pytest

from defocus_core.applications.enhance import enhance
from defocus_core.applications.magnify import in_focus_weight, magnify, magnify_published
from defocus_core.blur.kernels import effective_sigma, gaussian_blur
from defocus_core.evaluation import metrics
from defocus_core.io.color import linear_to_srgb, srgb_to_linear


def test_weight_takes_its_two_published_values_and_never_rises():
    sigma = np.linspace(0, 20, 200, dtype=np.float32)[None]
    weight = in_focus_weight(sigma)[0]
    sigmas = np.array([[effective_sigma(label, "paper") for label in (1, 5, 7, 10)]])
    assert in_focus_weight(sigmas)[0] == pytest.approx([0.999, 0.059, 0.001, 0], abs=1e-3)
    assert (np.diff(weight) <= 1e-6).all()


def test_magnification_blurs_the_background_and_keeps_the_subject(image):
    sigma = np.full(image.shape[:2], 0.5, np.float32)
    sigma[:, 75:] = 8
    result = magnify_published(image, sigma)
    assert result[:, 80:].std() < 0.95 * image[:, 80:].std()
    assert np.abs(result - image)[:, :70].mean() < 0.02


def test_what_is_in_focus_is_sharpened_by_a_quarter_of_its_detail(image):
    image = 0.3 + 0.4 * image
    detail = image - cv2.GaussianBlur(image, (0, 0), 1)
    sharp = magnify_published(image, np.zeros(image.shape[:2], np.float32))
    np.testing.assert_allclose(sharp, image + 0.25 * detail, atol=1e-3)


def test_the_subject_does_not_bleed_into_the_background():
    image = np.full((80, 120), 0.2, np.float32)
    image[:, :60] = 1
    sigma = np.where(np.arange(120) < 60, 0.5, 9).astype(np.float32)[None].repeat(80, 0)
    result = magnify_published(image, sigma)
    assert result[:, 66:].max() < 0.25


@pytest.mark.parametrize("factor", [2, 4])
def test_a_wider_aperture_multiplies_sigma(image, factor):
    light = srgb_to_linear(image)
    narrow = linear_to_srgb(gaussian_blur(light, 1.2))
    sigma = np.full(image.shape[:2], 1.2, np.float32)
    wide = magnify(narrow, sigma, aperture_ratio=factor, sharp_sigma=0, aperture="gaussian")
    np.testing.assert_allclose(wide, linear_to_srgb(gaussian_blur(light, 1.2 * factor)), atol=0.01)
    grey = srgb_to_linear(wide).mean(2)
    reached = metrics.matched_sigma(grey, light.mean(2), np.arange(0, 8, 0.1), texture=0.05)
    assert np.nanmedian(reached[20:-20, 20:-20]) == pytest.approx(1.2 * factor, rel=0.05)


def test_a_wider_aperture_keeps_what_is_in_focus_and_highlights_become_disks():
    picture = np.zeros((81, 81), np.float32)
    picture[40, 40] = 1
    sigma = np.full(picture.shape, 0.5, np.float32)
    for in_focus in (0.5, None):
        np.testing.assert_allclose(magnify(picture, sigma, sharp_sigma=in_focus), picture, atol=1e-5)
    np.testing.assert_allclose(magnify(picture, sigma, aperture_ratio=1), picture, atol=1e-5)
    ramp = np.linspace(0.3, 6, sigma.shape[1], dtype=np.float32)[None].repeat(len(sigma), 0)
    np.testing.assert_allclose(magnify(picture, ramp, aperture_ratio=1), picture, atol=1e-5)
    light = srgb_to_linear(magnify(picture, sigma + 2, aperture_ratio=3, sharp_sigma=0))
    radius = 2 * 2.5 * np.sqrt(8)  # a disk of twice the missing sigma, sqrt(3^2 - 1) of what is there
    y, x = np.mgrid[-40:41, -40:41]
    inside = np.hypot(y, x) < radius - 1
    assert light[inside] == pytest.approx(1 / (np.pi * radius**2), rel=0.02)
    assert light[np.hypot(y, x) > radius + 1].max() < 1e-6


def test_a_subject_of_uneven_sigma_is_kept_unless_its_sigma_is_given(image):
    sigma = np.where(np.arange(150) < 75, 0.3, 3).astype(np.float32)[None].repeat(128, 0)
    sigma[30:60, 20:50] = 0.4
    subject = np.s_[:, :70]
    kept = magnify(image, sigma, aperture_ratio=4)
    np.testing.assert_allclose(kept[subject], image[subject], atol=0.004)
    given = magnify(image, sigma, aperture_ratio=4, sharp_sigma=0.3)
    assert np.abs(given - image)[35:55, 25:45].mean() > 0.01
    assert np.abs(kept - image)[:, 80:].mean() > 0.02


def test_a_strongly_blurred_background_blurs_neither_the_subject_nor_what_is_hardly_blurred(image):
    sigma = np.repeat(np.float32([0.5, 0.6, 40]), 50)[None].repeat(128, 0)
    wide = magnify(image, sigma, aperture_ratio=3, sharp_sigma=0.5)
    np.testing.assert_array_equal(wide[:, :50], magnify(image, sigma * 0, aperture_ratio=1)[:, :50])
    alone = magnify(image, np.full_like(sigma, 0.6), aperture_ratio=3, sharp_sigma=0.5)
    np.testing.assert_allclose(wide[:, 55:95], alone[:, 55:95], atol=0.03)


@pytest.mark.parametrize("edge", [60, 58])  # of the map; the subject's is at 60
def test_a_wider_aperture_does_not_let_the_subject_bleed(edge):
    image = np.full((80, 120), 0.2, np.float32)
    image[:, :60] = 1
    sigma = np.where(np.arange(120) < edge, 0.5, 3).astype(np.float32)[None].repeat(80, 0)
    result = magnify(image, sigma, aperture_ratio=3)
    np.testing.assert_allclose(result[:, :60], 1, atol=1e-3)
    np.testing.assert_allclose(result[:, 60:], 0.2, atol=1e-3)


def test_a_map_that_ends_inside_the_subject_leaves_no_glow():
    image = np.full((80, 120), 0.2, np.float32)
    image[:, :60] = 1
    sigma = np.interp(np.arange(120), [54, 57], [0.4, 4]).astype(np.float32)[None].repeat(80, 0)
    result = magnify(image, sigma, aperture_ratio=4)
    np.testing.assert_allclose(result[:, 66:], 0.2, atol=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"aperture_ratio": 0.5}, "1 to 20 times as wide, not 0.5"), ({"sharp_sigma": -1}, "0 to 10 pixels, not -1")],
)
def test_impossible_apertures_are_refused(image, options, message):
    with pytest.raises(ValueError, match=message):
        magnify(image, np.zeros(image.shape[:2], np.float32), **options)


@pytest.mark.parametrize("function", [enhance, magnify_published, magnify])
def test_a_map_that_does_not_fit_is_refused(image, function):
    with pytest.raises(ValueError, match="does not fit an image"):
        function(image, np.zeros((3, 3), np.float32))


def test_a_map_in_another_unit_is_refused(image):
    with pytest.raises(ValueError, match=r"a sigma of 1e\+09 pixels is more than the photograph has"):
        magnify(image, np.full(image.shape[:2], 1e9, np.float32), aperture_ratio=2)


@pytest.mark.parametrize("blur", [magnify, magnify_published])
def test_one_channel_keeps_its_axis_and_alpha_is_refused(blur):
    grey, sigma = np.random.default_rng(0).random((40, 30), np.float32), np.full((40, 30), 3)
    sigma[:, :10] = 0
    np.testing.assert_array_equal(blur(grey[..., None], sigma)[..., 0], blur(grey, sigma))
    with pytest.raises(ValueError, match="keep alpha apart"):
        blur(np.zeros((40, 30, 4), np.uint8), sigma)


def test_a_photograph_that_is_nowhere_in_focus_is_blurred_all_over():
    rng = np.random.default_rng(0)
    image = gaussian_blur(rng.random((160, 240), np.float32), 3)
    sigma = 3 * np.repeat(np.repeat(rng.uniform(0.9, 1.1, (4, 6)).astype(np.float32), 40, 0), 40, 1)
    left = magnify(image, sigma, aperture_ratio=3)
    contrasts = [
        left[top : top + 40, side : side + 40].std() / image[top : top + 40, side : side + 40].std()
        for top in range(0, 160, 40)
        for side in range(0, 240, 40)
    ]
    assert max(contrasts) < 0.6
