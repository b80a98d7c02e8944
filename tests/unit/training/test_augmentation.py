import cv2
import numpy as np
import torch

from defocus_core.training import augmentation
from defocus_core.training.config import AugmentConfig


def test_every_augmentation_keeps_shape_and_range():
    torch.manual_seed(0)
    batch = torch.rand(8, 1, 32, 32)
    ranges = AugmentConfig(flips=True, gamma=0.5, contrast=0.5, noise=8, jpeg_fraction=0.9)
    out = augmentation.augment_batch(batch, ranges)
    assert out.shape == batch.shape
    assert out.min() >= 0
    assert out.max() <= 1
    assert torch.equal(augmentation.augment_batch(batch, AugmentConfig()), batch)


def test_jpeg_is_close_to_a_real_encoder():
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (32, 32), dtype=np.uint8), (0, 0), 1.5)
    for quality in (50, 80):
        ok, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        real = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE).astype(np.float32)
        mine = augmentation.jpeg_quantise(
            torch.from_numpy(image)[None, None].float() / 255, torch.full((1, 1, 1, 1), float(quality))
        )
        assert ok
        assert np.abs(mine.numpy()[0, 0] * 255 - real).mean() < 0.6


def test_contrast_keeps_the_order_of_grey_levels_and_the_mean():
    torch.manual_seed(0)
    batch = 0.4 + 0.2 * torch.rand(64, 1, 8, 8)
    varied = augmentation.augment_batch(batch, AugmentConfig(contrast=0.5))
    gains = varied.flatten(1).std(1) / batch.flatten(1).std(1)
    torch.testing.assert_close(varied.mean((1, 2, 3)), batch.mean((1, 2, 3)))
    assert torch.equal(varied.flatten(1).argmax(1), batch.flatten(1).argmax(1))
    assert 0.5 <= gains.min() < 0.6
    assert 1.4 < gains.max() <= 1.501


def test_gamma_and_noise_reach_as_far_as_asked_to_both_sides():
    torch.manual_seed(0)
    grey = torch.full((400, 1, 8, 8), 0.5)
    exponents = augmentation.augment_batch(grey, AugmentConfig(gamma=1.0))[:, 0, 0, 0].log() / np.log(0.5)
    assert 0.5 <= exponents.min() < 0.52
    assert 1.96 < exponents.max() <= 2.001
    noise = augmentation.augment_batch(grey, AugmentConfig(noise=10)).flatten(1).std(1) * 255
    assert 8 < noise.max() < 13
    assert noise.min() < 1


def test_flips_give_all_eight_orientations():
    torch.manual_seed(0)
    batch = (torch.arange(4.0) / 4).view(1, 1, 2, 2).expand(100, 1, 2, 2)
    turned = augmentation.augment_batch(batch, AugmentConfig(flips=True))
    assert len({tuple(patch.flatten().tolist()) for patch in turned}) == 8
