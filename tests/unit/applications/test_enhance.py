import cv2
import numpy as np
import pytest

from defocus_core.applications.enhance import enhance, enhancement_amount, unsharp_mask
from defocus_core.blur.kernels import effective_sigma


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


@pytest.mark.parametrize("sharpen", [lambda image: enhance(image, np.full((9, 8), 1.5)), unsharp_mask])
def test_one_channel_keeps_its_axis_and_alpha_is_refused(sharpen):
    grey = np.random.default_rng(0).random((9, 8), np.float32)
    np.testing.assert_array_equal(sharpen(grey[..., None])[..., 0], sharpen(grey))
    with pytest.raises(ValueError, match="keep alpha apart"):
        sharpen(np.zeros((9, 8, 4), np.uint8))
