import cv2
import numpy as np
import pytest

from defocus_core.training.config import SceneConfig
from defocus_core.training.layered_scenes import draw_scene, read_scenes, write_scenes
from defocus_core.training.scene_photographs import SegmentedPhotograph

CONFIG = SceneConfig(size=64)


def test_scenes_have_an_image_and_a_sigma_for_every_cell(columns):
    assert columns["images"].shape == (8, 64, 64)
    assert columns["sigma"].shape == (8, 16, 16)
    assert np.isfinite(columns["sigma"]).all()
    assert columns["sigma"].min() >= 0
    assert columns["sigma"].max() <= 12


def test_what_cannot_be_drawn_is_said(greys, tmp_path):
    with pytest.raises(ValueError, match="no photograph is sharp all over and has 128 pixels a side"):
        write_scenes([], tmp_path / "a.h5", config=CONFIG, count=1, seed=0)
    config = CONFIG.changed(people_fraction=0.5)
    with pytest.raises(ValueError, match=r"people_fraction is 0\.5, and none of these photographs has a silhouette"):
        write_scenes([SegmentedPhotograph.of(greys[0])], tmp_path / "a.h5", config=config, count=1, seed=0)


def test_the_same_seed_draws_the_same_scenes(greys, columns, tmp_path):
    write_scenes(
        [SegmentedPhotograph.of(grey) for grey in greys], tmp_path / "again.h5", config=CONFIG, count=8, seed=3
    )
    assert np.array_equal(read_scenes(tmp_path / "again.h5")["images"], columns["images"])


def test_more_sigma_is_less_detail(greys):
    photographs = [SegmentedPhotograph.of(greys[1])]
    detail = {True: [], False: []}
    for seed in range(30):
        image, sigma = draw_scene(photographs, CONFIG, np.random.default_rng(seed))
        detail[bool(sigma.mean() > 2)].append(np.abs(np.diff(image.astype(float))).mean())
    assert np.mean(detail[True]) < 0.5 * np.mean(detail[False])


def test_shaded_objects_lose_texture_and_keep_their_label(greys):
    photographs = [SegmentedPhotograph.of(greys[1])]
    shaded = CONFIG.changed(shaded_fraction=1.0)
    ratios = []
    for seed in range(30):
        (plain, sigma), (smooth, same) = (
            draw_scene(photographs, config, np.random.default_rng(seed)) for config in (CONFIG, shaded)
        )
        if np.array_equal(sigma, same):  # up to the first object both draw alike
            details = [np.abs(np.diff(image.astype(float))).mean() for image in (smooth, plain)]
            ratios.append(details[0] / details[1])
    assert len(ratios) > 15
    assert np.quantile(ratios, 0.9) < 1.05
    assert np.mean(ratios) < 0.95


def test_labels_lie_where_their_pixels_do(greys):
    """In a scene of a sharp object before a blurred background, and the other way round."""
    config = CONFIG.changed(shaded_fraction=0.0)
    agreements = []
    for seed in range(40):
        image, sigma = draw_scene([SegmentedPhotograph.of(greys[1])], config, np.random.default_rng(seed))
        detail = np.abs(cv2.Laplacian(image.astype(np.float32), cv2.CV_32F))
        detail = cv2.resize(detail, sigma.shape[::-1], interpolation=cv2.INTER_AREA)
        if sigma.min() < 1 and sigma.max() > 3:
            here, there = (np.corrcoef(np.log(detail + 1).ravel(), s.ravel())[0, 1] for s in (sigma, sigma.T))
            agreements.append((here, there))
    assert len(agreements) > 5
    here, there = np.mean(agreements, 0)
    assert here < -0.3
    assert here < there - 0.1


@pytest.mark.parametrize("largest", [3.0, 20.0])
def test_no_scene_is_blurred_beyond_the_largest_sigma_and_some_nearly_as_much(greys, largest):
    config = CONFIG.changed(max_sigma=largest)
    photographs = [SegmentedPhotograph.of(grey) for grey in greys]
    most = [draw_scene(photographs, config, np.random.default_rng(seed))[1].max() for seed in range(60)]
    assert 0.8 * largest < max(most) <= largest


def _scenes(greys, count=30, **changes):
    photographs = [SegmentedPhotograph.of(grey) for grey in greys]
    config = CONFIG.changed(**changes)
    return [draw_scene(photographs, config, np.random.default_rng([9, seed])) for seed in range(count)]


def test_whole_scenes_have_one_sigma_and_half_of_them_none(greys):
    sigmas = [sigma for _, sigma in _scenes(greys, whole_fraction=1.0)]
    assert all(np.ptp(sigma) == 0 for sigma in sigmas)
    assert 0.3 < np.mean([sigma.max() == 0 for sigma in sigmas]) < 0.7


def test_labels_count_the_blur_under_everything_in(greys):
    sigmas = [sigma for _, sigma in _scenes(greys, whole_fraction=1.0, max_base_sigma=1.2)]
    soft = [sigma.max() for sigma in sigmas if 0 < sigma.max() < 0.4]  # less than any layer has
    assert len(soft) > 1


def test_labels_count_the_photographs_own_blur_in_at_the_scale_it_is_taken_at(greys):
    photographs = [SegmentedPhotograph.of(np.tile(greys[1], (2, 2)), sigma=0.9)]
    config = CONFIG.changed(whole_fraction=1.0)
    least = [draw_scene(photographs, config, np.random.default_rng(seed))[1].min() for seed in range(30)]
    assert 0.9 * 128 / 256 <= min(least) < 0.55  # 256 pixels reduced to a scene and its margins
    assert max(sigma for sigma in least if sigma < 0.9) > 0.8  # never enlarged


def test_plain_backgrounds_have_no_detail(greys):
    details = {}
    for fraction in (0.0, 1.0):
        images = [image for image, _ in _scenes(greys, plain_fraction=fraction)]
        details[fraction] = np.median([np.mean(np.ptp(image.astype(float), axis=1) == 0) for image in images])
    assert details[1.0] > details[0.0] + 0.05


def test_smooth_backgrounds_lose_texture(greys):
    rough, smooth = (
        np.mean([np.abs(np.diff(image.astype(float))).mean() for image, _ in scenes])
        for scenes in (_scenes(greys), _scenes(greys, shaded_background_fraction=1.0))
    )
    assert smooth < 0.9 * rough


def test_apertures_of_any_shape_give_the_sigma_they_are_labelled_with(greys):
    """The blur of a photograph all over is measured by how much it takes from a fine grating."""
    grating = np.tile(0.5 + 0.5 * np.sin(np.arange(200) * 2 * np.pi / 16), (200, 1)).astype(np.float32)
    config = CONFIG.changed(whole_fraction=1.0, disk_fraction=1.0, shaped_fraction=1.0, linear_light_fraction=0.0)
    config = config.changed(max_sigma=2.5)
    losses = []
    for seed in range(40):
        image, sigma = draw_scene([SegmentedPhotograph.of(grating)], config, np.random.default_rng(seed))
        if sigma.max() > 0.6:
            losses.append((float(sigma.max()), np.ptp(image[16:48, 16:48].astype(float)) / 255))
    sigmas, contrasts = np.array(sorted(losses)).T
    assert len(sigmas) > 8
    assert np.corrcoef(sigmas, contrasts)[0, 1] < -0.5


def test_people_are_objects_of_one_blur(greys):
    """White people, in some scenes in focus before dark and blurred photographs."""
    people = np.zeros((160, 240), bool)
    people[20:140, 60:180] = True
    person = SegmentedPhotograph.of(np.where(people, 1, 0.5).astype(np.float32), people=people)
    photographs = [*(SegmentedPhotograph.of(0.3 * grey) for grey in greys), person]
    alike = {0.0: 0, 1.0: 0}
    for fraction in alike:
        config = CONFIG.changed(people_fraction=fraction, linear_light_fraction=0.0)
        for seed in range(60):
            image, sigma = draw_scene(photographs, config, np.random.default_rng(seed))
            sharp, white = sigma == 0, image[2::4, 2::4] > 250
            alike[fraction] += 0.1 < sharp.mean() < 0.9 and white.any() and np.mean(sharp == white) > 0.9
    assert alike[1.0] > 4
    assert alike[0.0] < 2


def test_without_people_all_objects_are_others(greys):
    photographs = [SegmentedPhotograph.of(grey) for grey in greys]
    scenes = [draw_scene(photographs, CONFIG.changed(people_fraction=f), np.random.default_rng(1)) for f in (0.0, 1.0)]
    np.testing.assert_array_equal(*(image for image, _ in scenes))
