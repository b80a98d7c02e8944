import numpy as np
import pytest
import torch

from defocus_core.training.config import AugmentConfig
from defocus_core.training.datasets import PatchDataset, SceneDataset


def test_levels_of_scenes_lie_between_those_of_the_network():
    sigmas = np.array([1.0, 2.0, 4.0], np.float32)
    columns = {"images": np.zeros((1, 8, 8), np.uint8), "sigma": np.array([[[0.1, 1.0], [np.sqrt(8), 9]]])}
    data = SceneDataset.of(columns, sigmas, torch.device("cpu"))
    np.testing.assert_allclose(data.level[0], [[0, 0], [1.5, 2]], atol=2e-3)


SIGMAS = np.array([0.0, 4.0], np.float32)


def test_patches_in_another_order_or_of_other_levels_are_others(splits):
    patches = splits["train"]
    turned = PatchDataset(patches.images.flip(0), patches.level)
    relabelled = PatchDataset(patches.images, patches.level.flip(0))
    assert len({patches.digest(), turned.digest(), relabelled.digest()}) == 3
    assert patches.digest() == PatchDataset(patches.images.clone(), patches.level).digest()


def test_scenes_refuse_a_level_of_no_blur():
    columns = {"images": np.zeros((1, 8, 8), np.uint8), "sigma": np.ones((1, 2, 2), np.float16)}
    with pytest.raises(ValueError, match="scenes need levels of sigma above 0"):
        SceneDataset.of(columns, SIGMAS, torch.device("cpu"))


def test_scenes_are_turned_with_their_labels():
    torch.manual_seed(0)
    level = torch.arange(4.0).view(1, 2, 2)
    scenes = SceneDataset(level.to(torch.uint8).repeat_interleave(4, 1).repeat_interleave(4, 2), level)
    seen = set()
    for _ in range(60):
        images, turned = scenes.batch(torch.tensor([0]), AugmentConfig(flips=True))
        torch.testing.assert_close(images[0, 0, 2::4, 2::4] * 255, turned[0])
        seen.add(tuple(turned.flatten().tolist()))
    assert len(seen) == 8
