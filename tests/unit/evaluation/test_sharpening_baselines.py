import numpy as np
import pytest

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation import metrics, sharpening_baselines
from defocus_core.io.color import to_dtype


@pytest.mark.parametrize("name", list(sharpening_baselines.METHODS))
def test_a_rival_sharpens_and_leaves_flat_images_alone(scene, name):
    method = sharpening_baselines.METHODS[name]
    soft = gaussian_blur(scene, 1)
    assert method(soft).std() > soft.std()
    assert metrics.ssim(method(soft), scene) > metrics.ssim(soft, scene) - 0.1
    assert method(to_dtype(soft, np.uint16)).max() <= 1
    flat = np.full((20, 20), 0.3, np.float32)
    np.testing.assert_allclose(method(flat), flat, atol=1e-5)


def test_contrast_adaptive_sharpening_is_worked_by_hand():
    """A bright pixel in grey: the least of the window is .4, twice; the largest .5, twice."""
    image = np.full((5, 5), 0.4, np.float32)
    image[2, 2] = 0.5
    weight = -0.125 * np.sqrt(min(0.8, 2 - 1.0) / 1.0)
    expected = (4 * 0.4 * weight + 0.5) / (1 + 4 * weight)
    assert sharpening_baselines.contrast_adaptive(image)[2, 2] == pytest.approx(expected, rel=1e-5)


def test_generalised_unsharp_masking_is_worked_by_hand():
    """A bright pixel in grey: the median takes it away, and its log-ratio comes back with its gain."""
    image = np.full((7, 7), 0.5, np.float32)
    image[3, 3] = 0.6
    x, y = (0.6 * 255 + 1) / 257, (0.5 * 255 + 1) / 257
    detail = np.log(x / (1 - x)) - np.log(y / (1 - y))
    falling = 6 / (1 - np.exp(-1))
    gain = 7 - falling + falling * np.exp(-abs(2 / (1 + np.exp(-detail)) - 1))
    ratio = np.log(y / (1 - y)) + gain * detail
    expected = (257 / (1 + np.exp(-ratio)) - 1) / 255
    assert sharpening_baselines.generalised_unsharp(image)[3, 3] == pytest.approx(expected, rel=1e-4)


def test_generalised_unsharp_masking_stays_in_range():
    noise = np.random.default_rng(0).uniform(0, 1, (40, 40)).astype(np.float32)
    result = sharpening_baselines.generalised_unsharp(noise)
    assert result.min() >= 0
    assert result.max() <= 1


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (sharpening_baselines.generalised_unsharp, {"gain": 0.5}),
        (sharpening_baselines.contrast_adaptive, {"peak": -0.3}),
    ],
)
def test_numbers_out_of_range_are_refused(scene, method, options):
    with pytest.raises(ValueError, match=r"not -?0\.[35]"):
        method(scene, **options)
