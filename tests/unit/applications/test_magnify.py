import cv2
import numpy as np
import pytest
from skimage import data

from defocus_core.applications.enhance import enhance, enhancement_amount, unsharp_mask
from defocus_core.applications.fusion import decide
from defocus_core.applications.fusion.decide import FusionConfig, decide_sharper, remove_small_regions
from defocus_core.applications.fusion.stack import fuse
from defocus_core.applications.magnify import in_focus_weight, magnify, magnify_published
from defocus_core.blur import rendering
from defocus_core.blur.kernels import effective_sigma, gaussian_blur
from defocus_core.blur.rendering import Scene, render_defocus, thin_lens_sigma
from defocus_core.evaluation import metrics
from defocus_core.evaluation.known_scenes import (
    center_squares,
    composite_scene,
    embedded_scenes,
    load_motorcycle,
)
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_dtype
from defocus_core.io.write import write


@pytest.fixture(scope="module")
def image():
    return as_float(data.astronaut()[:128, 150:300])


def test_gain_follows_the_published_constants():
    labels = np.array([0, 1, 5, 19])
    sigma = np.array([[effective_sigma(label, "paper") for label in labels]], np.float32)
    rising = 1 / (1 + np.exp(-46 * (labels / 19 - 0.1)))
    falling = 1 - 1 / (1 + np.exp(-183 * (labels / 19 - 0.27)))
    np.testing.assert_allclose(enhancement_amount(sigma)[0], 2 * rising * falling, rtol=1e-3, atol=1e-6)


def test_enhancement_adds_the_detail_as_often_as_its_gain_says(image):
    image = 0.3 + 0.4 * image
    sigma = np.full(image.shape[:2], effective_sigma(3, "paper"), np.float32)
    detail = image - cv2.GaussianBlur(image, (0, 0), 2)
    gain = 2 / (1 + np.exp(-46 * (3 / 19 - 0.1)))
    expected = np.clip(image + gain * detail, 0, 1)
    np.testing.assert_allclose(enhance(image, sigma), expected, atol=1e-3)
    np.testing.assert_allclose(unsharp_mask(image), np.clip(image + 2 * detail, 0, 1), atol=1e-6)


def test_enhancement_leaves_the_far_background_alone(image):
    sigma = np.full(image.shape[:2], 12, np.float32)
    np.testing.assert_allclose(enhance(image, sigma), image, atol=1e-6)
    sigma[:, :75] = 2
    changed = np.abs(enhance(image, sigma) - image).mean((0, 2))
    assert changed[:75].mean() > 0.005
    assert changed[75:].max() < 1e-6


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


def test_fusion_takes_each_half_from_its_sharp_shot(image):
    left, right = image.copy(), image.copy()
    soft = gaussian_blur(image, 4)
    left[:, 75:], right[:, :75] = soft[:, 75:], soft[:, :75]
    fusion = fuse([left, right])
    shots = max(metrics.psnr(left, image), metrics.psnr(right, image))
    assert metrics.psnr(fusion.image, image) > shots + 4
    assert (fusion.labels[:, :55] == 0).mean() > 0.8
    assert (fusion.labels[:, 95:] == 1).mean() > 0.8


def test_three_shots_fuse_with_the_same_code(image):
    soft = gaussian_blur(image, 4)
    shots = []
    for part in range(3):
        shot = soft.copy()
        columns = slice(part * 50, part * 50 + 50)
        shot[:, columns] = image[:, columns]
        shots.append(shot)
    fusion = fuse(shots)
    assert metrics.psnr(fusion.image, image) > max(metrics.psnr(s, image) for s in shots) + 2
    assert set(np.unique(fusion.labels)) == {0, 1, 2}


def test_seams_blend_and_leave_the_rest_alone(image):
    left, right = image.copy(), image.copy()
    soft = gaussian_blur(image, 4)
    left[:, 75:], right[:, :75] = soft[:, 75:], soft[:, :75]
    left, right = (to_dtype(shot, np.uint16) for shot in (left, right))
    hard = fuse([left, right])
    blended = fuse([left, right], config=FusionConfig(seam_sigma=1.5))
    assert blended.image.dtype == np.uint16
    changed = (blended.image != hard.image).any(2)
    assert changed.any()
    edges = cv2.morphologyEx(hard.labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    distance = cv2.distanceTransform((edges == 0).astype(np.uint8), cv2.DIST_L2, 5)
    assert distance[changed].max() < 12


def test_small_regions_that_matter_little_join_what_lies_around_them():
    mask = np.zeros((20, 30), bool)
    mask[:, 15:] = True
    mask[4:7, 4:7] = mask[12:15, 4:7] = True  # of these two, the second matters
    mask[8:10, 20:22] = mask[0:2, 29] = False
    stakes = np.full(mask.shape, 0.01, np.float32)
    stakes[12:15, 4:7] = 0.2
    cleaned = remove_small_regions(mask, smallest=20, stakes=stakes, least=1.0)
    expected = np.zeros_like(mask)
    expected[:, 15:] = expected[12:15, 4:7] = True
    assert np.array_equal(cleaned, expected)


def test_a_twig_stays_and_a_speck_goes():
    """Two regions with edges of their own: in one the shots differ much in detail, in the other hardly."""
    grey = np.full((128, 128), 0.3, np.float32)
    detail = np.stack([np.full_like(grey, 0.01), np.full_like(grey, 0.05)])
    twig, speck = np.s_[20:36, 30:34], np.s_[80:96, 90:94]
    grey[twig] = grey[speck] = 0.9
    detail[0][twig], detail[1][twig] = 0.2, 0.02
    detail[0][speck] = 0.06
    expected = np.zeros(grey.shape, bool)
    expected[twig] = True
    shot, other = (np.stack([grey, d, np.ones_like(grey)]) for d in detail)
    assert np.array_equal(decide_sharper(shot, other), expected)
    keeping = FusionConfig(max_region_stake=0)
    expected[speck] = True
    assert np.array_equal(decide_sharper(shot, other, config=keeping), expected)


def test_noise_decides_nothing_in_a_deep_stack(image):
    """What no shot has in focus is not cut to pieces by the shots' noise."""
    rng = np.random.default_rng(0)
    image = image.copy()
    image[:, 100:] = gaussian_blur(image, 12)[:, 100:]
    shots = []
    for focus in range(8):
        distance = np.abs(np.arange(150) // 15 - focus)
        softs = [image, *(gaussian_blur(image, 1.5 * step) for step in range(1, 10))]
        shot = np.stack([softs[step][:, column] for column, step in enumerate(distance)], 1)
        shots.append(np.clip(shot + rng.normal(0, 0.01, shot.shape), 0, 1).astype(np.float32))
    labels = fuse(shots).labels
    assert (labels[:, :100] == np.arange(100) // 15).mean() > 0.85
    regions = sum(cv2.connectedComponents((labels == label).astype(np.uint8))[0] - 1 for label in range(8))
    assert regions < 20


def test_a_vote_of_detail_spreads_up_to_an_edge():
    """Shots that differ in detail in two spots alone: the border between them lies on the step of grey."""
    grey = np.full((60, 80), 0.2, np.float32)
    grey[:, 50:] = 0.8
    detail = np.full((2, 60, 80), 0.001, np.float32)
    detail[0, 20:40, 5:15] = detail[1, 20:40, 60:70] = 0.05
    shot, other = (np.stack([grey, d, np.ones_like(grey)]) for d in detail)
    assert np.array_equal(decide_sharper(shot, other), np.arange(80)[None].repeat(60, 0) < 50)


def test_files_fuse_as_their_pixels(image, tmp_path):
    shots = [to_dtype(shot, np.uint8) for shot in (image, gaussian_blur(image, 3))]
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, shot in zip(paths, shots, strict=True):
        write(path, shot)
    assert np.array_equal(fuse(paths).image, fuse(shots).image)


def test_shots_that_cannot_be_fused_are_refused(image):
    with pytest.raises(ValueError, match="2 to 255 shots, not 1"):
        fuse([image])
    with pytest.raises(ValueError, match="differ in shape"):
        fuse([image, image[:50]])
    with pytest.raises(ValueError, match="differ in depth"):
        fuse([image, to_dtype(image, np.uint8)])


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


def test_motorcycle_has_a_depth_everywhere():
    scene = load_motorcycle()
    assert scene.image.shape == (500, 741, 3)
    assert np.isfinite(scene.disparity).all()


def test_the_embedded_scenes_are_the_same_at_another_strength():
    weak, strong = (list(embedded_scenes(seed=1, size=64, max_sigma=largest)) for largest in (3, 6))
    assert [name for name, *_ in weak] == [name for name, *_ in strong]
    for (_, scene, lens), (_, other, stronger) in zip(weak, strong, strict=True):
        assert np.array_equal(scene.image, other.image)
        assert stronger["sigma_per_disparity"] == pytest.approx(2 * lens["sigma_per_disparity"])
        assert stronger["focus"] == lens["focus"]
    _, sigma = render_defocus(weak[-1][1], **weak[-1][2])
    assert 3 * 3 / 16 <= sigma.max() <= 3 * 3 / 4


def test_without_detail_the_shot_of_less_blur_is_taken_and_the_first_of_equals(monkeypatch):
    flat = np.full((64, 80), 0.5, np.float32)
    sigmas = iter([3.0, 1.0, 1.0])
    monkeypatch.setattr(decide, "estimate", lambda image, **_: np.full(image.shape[:2], next(sigmas), np.float32))
    assert (fuse([flat, flat, flat], model="blurnet").labels == 1).all()
