import cv2
import numpy as np
import pytest

from defocus_core.training.layered_scenes import (
    SceneConfig,
    SegmentedPhotograph,
    draw_scene,
    read_scenes,
    write_scenes,
)

CONFIG = SceneConfig(size=64)


def test_scenes_have_an_image_and_a_sigma_for_every_cell(columns):
    assert columns["images"].shape == (8, 64, 64)
    assert columns["sigma"].shape == (8, 16, 16)
    assert np.isfinite(columns["sigma"]).all()
    assert columns["sigma"].min() >= 0
    assert columns["sigma"].max() <= 12


def test_the_same_seed_draws_the_same_scenes(greys, columns, tmp_path):
    write_scenes(greys, tmp_path / "again.h5", config=CONFIG, count=8, seed=3)
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
    assert max(ratios) < 1.05
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
