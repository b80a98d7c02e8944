import os

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import to_dtype, to_grey
from defocus_core.maps.config import DEFAULT_CONFIG, PAPER_CONFIG, MapConfig
from defocus_core.maps.focus import in_focus
from defocus_core.maps.pipeline import MAX_HALVINGS, estimate, estimate_with_certainty, predict_pyramid
from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.storage import load_model, save_model


@pytest.mark.parametrize("name", ["blurnet", "scenenet"])
@pytest.mark.parametrize(
    "shape", [(1, 1), (31, 31), (5, 200), (32, 32), (64, 80), (64, 80, 3), (40, 50, 4), (40, 40, 1)]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, bool])
def test_any_image_gives_a_finite_map(name, shape, dtype):
    model = build_classifier(name, torch.linspace(0.4, 12, 20)).eval()
    rng = np.random.default_rng(0)
    image = rng.random(shape)
    if dtype in (np.uint8, np.uint16):
        image = to_dtype(image, dtype)
    sigma = estimate(image.astype(dtype), model=model)
    assert sigma.shape == shape[:2]
    assert sigma.dtype == np.float32
    assert np.isfinite(sigma).all()


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0, np.nan])
def test_constant_and_nan_images_give_a_finite_map(blurnet, level):
    assert np.isfinite(estimate(np.full((50, 60), level, np.float32), model=blurnet)).all()


@pytest.mark.parametrize("name", ["blurnet", "scenenet"])
@pytest.mark.parametrize("shape", [(50, 60), (50, 60, 3), (50, 60, 4), (90, 83, 4)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_images_with_pixels_that_are_no_numbers_give_a_finite_map(name, shape, bad):
    image = np.random.default_rng(0).random(shape)
    image[10:20, 5:30] = bad
    image[0, 0] = image[-1, -1] = bad
    for refine in (False, True):
        sigma = estimate(image, model=name, refine=refine)
        assert sigma.shape == shape[:2]
        assert np.isfinite(sigma).all()
        assert 0 <= sigma.min() <= sigma.max() <= 25  # twice the largest level, from half the size


@pytest.mark.parametrize("name", ["blurnet", "scenenet"])
@pytest.mark.parametrize("settings", [DEFAULT_CONFIG, PAPER_CONFIG])
@pytest.mark.parametrize("shape", [(1, 1), (31, 31), (1, 200), (40, 40), (90, 170)])
def test_the_shipped_models_stand_flat_images_under_both_refinements(name, settings, shape):
    for level in (0, 128, 255):
        sigma = estimate(np.full((*shape, 3), level, np.uint8), model=name, config=settings)
        assert sigma.shape == shape
        assert np.isfinite(sigma).all()
        assert 0 <= sigma.min() <= sigma.max() <= 25  # twice the largest level, from half the size


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 2)), r"\(H, W\) or \(H, W, 1\|3\|4\), not \(4, 4, 2\)"),
        (np.zeros((0, 4)), "at least one pixel"),
        (np.zeros(4), "not \\(4,\\)"),
        (np.full((4, 4), 255.0), r"lies in \[0, 1\], this one in \[255, 255\]"),
        (np.zeros((4, 4), np.int32), "not int32"),
        (np.zeros((4, 4), complex), "not complex128"),
    ],
)
def test_what_is_no_image_is_refused_by_name(image, message):
    with pytest.raises(ValueError, match=message):
        estimate(image)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_frame_without_texture_is_left_to_full_size(level):
    flat = np.full((330, 500), level, np.float32)
    alone = estimate(flat, config=MapConfig(min_pyramid_side=0))
    np.testing.assert_array_equal(estimate(flat), alone)


def test_a_photograph_is_halved_down_to_the_coarsest_size():
    grey, model = np.random.default_rng(0).random((100, 170), np.float32), load_model()
    cells = [(25, 43), (13, 22), (7, 11)]  # of 100x170, 50x85 and 25x42 pixels
    shapes = {0: cells[:1], 26: cells[:2], 25: cells}
    for coarsest, expected in shapes.items():
        scales = predict_pyramid(grey, model=model, config=MapConfig(min_pyramid_side=coarsest))
        assert [values.shape for values, _ in scales] == expected
    scales = predict_pyramid(grey, model=model, config=MapConfig(min_pyramid_side=1))
    assert len(scales) == MAX_HALVINGS + 1
    with pytest.raises(ValueError, match="not -1"):
        MapConfig(min_pyramid_side=-1)


def test_blur_far_beyond_the_largest_level_is_measured():
    photograph = to_grey(data.astronaut())
    large = cv2.resize(photograph, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    sigma = estimate(gaussian_blur(large, 36), refine=False)  # three times the largest level
    assert 18 < np.median(sigma) < 40  # full size alone says 6


def test_a_step_that_leaves_gaps_is_refused(blurnet):
    with pytest.raises(ValueError, match="step is 1 to 32 pixels"):
        estimate(np.zeros((64, 64)), model=blurnet, step=33)


def test_a_file_of_weights_that_changed_is_read_again(tmp_path):
    file, image = tmp_path / "m.safetensors", np.random.default_rng(0).random((64, 64), np.float32)
    maps = []
    for seed in (0, 7):
        save_model(build_classifier("blurnet", [0.5, 2.0, 4.0], seed=seed), file)
        os.utime(file, (seed, seed))
        maps.append(estimate(image, model=str(file), refine=False))
    assert not np.array_equal(*maps)


def test_the_shipped_model_orders_blur():
    image = to_grey(data.astronaut())
    means = [estimate(gaussian_blur(image, s), refine=False).mean() for s in (0, 2, 5)]
    assert means[0] < means[1] - 0.5 < means[2] - 1.5


def test_a_map_does_not_depend_on_exposure_and_contrast():
    model = load_model()
    scene = data.astronaut()[:256, 100:356].astype(np.float32) / 255
    scene[:, 128:] = cv2.GaussianBlur(scene, (0, 0), 3)[:, 128:]
    full = estimate(to_dtype(scene, np.uint16), model=model)
    for image in (scene / 16, 0.4 + scene / 8):
        found = estimate(to_dtype(image, np.uint16), model=model)
        assert np.abs(np.log(found + 0.1) - np.log(full + 0.1)).mean() < 0.05
    as_it_is = estimate(scene / 16, model=model, config=MapConfig(stretch_contrast=False))
    assert np.abs(np.log(as_it_is + 0.1) - np.log(full + 0.1)).mean() > 0.2


def test_certainty_is_low_where_nothing_tells_of_blur():
    image = np.full((192, 192), 0.5, np.float32)
    image[:, 96:] = np.random.default_rng(0).random((192, 96), np.float32)
    sigma, certainty = estimate_with_certainty(image)
    np.testing.assert_array_equal(sigma, estimate(image))
    assert certainty.shape == image.shape
    assert ((certainty >= 0) & (certainty <= 1)).all()
    assert np.median(certainty[:, :64]) < 0.5 * np.median(certainty[:, 128:])


@pytest.mark.parametrize("blur", [0, 3])
def test_a_plain_field_follows_the_subject_before_it(blur):
    subject = to_grey(data.camera())[100:260, 150:310]
    image = np.full((420, 420), 0.95, np.float32)
    image[130:290, 130:290] = subject
    image = gaussian_blur(image, blur)
    image += np.random.default_rng(0).normal(0, 0.001, image.shape).astype(np.float32)
    image = to_dtype(image, np.uint8)
    sigma, certainty = estimate_with_certainty(image)
    field = np.ones(image.shape, bool)
    field[90:330, 90:330] = False
    assert certainty[field].mean() < 0.1
    chance = in_focus(sigma, certainty=certainty)
    for area in (chance[field], chance[150:270, 150:270]):
        assert area.mean() > 0.75 if blur == 0 else area.mean() < 0.05


@pytest.mark.parametrize("counts", [1000, 250])
def test_few_counts_of_a_16_bit_file_give_the_map_of_a_full_exposure(counts):
    scene = to_grey(data.astronaut()[:200, 100:340])
    scene[:, 120:] = gaussian_blur(scene, 5)[:, 120:]
    full, dim = (estimate(np.rint(scene * top).astype(np.uint16)) for top in (65535, counts))
    assert np.median(full[:, 140:]) > 3
    assert np.median(np.abs(np.log(dim / full))) < 0.06
    assert (np.abs(np.log(dim / full)) < 0.4).mean() > 0.99
