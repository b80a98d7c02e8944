import numpy as np
import torch

from defocus_core.networks.classifier import build_classifier
from defocus_core.training.config import AugmentConfig, TrainConfig
from defocus_core.training.datasets import NO_AUGMENTATION
from defocus_core.training.loop import train
from defocus_core.training.weight_averaging import interpolate_weights

SIGMAS = np.array([0.0, 4.0], np.float32)
CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=3e-3, augment=AugmentConfig(flips=True))


def _train(splits, config=CONFIG, **more):
    return train("blurnet", sigmas=SIGMAS, config=config, **splits, **more)


def test_the_mean_of_two_networks_measures_its_batch_statistics_anew(splits):
    start, _ = _train(splits)
    end, _ = _train(splits, seed=1, start=start)
    plain = CONFIG.changed(augment=NO_AUGMENTATION)
    model = interpolate_weights(start, end, splits["train"], config=plain, start_weight=0.75, count=64)
    first = "network.trunk.0.weight"
    mean = 0.75 * start.state_dict()[first] + 0.25 * end.state_dict()[first]
    torch.testing.assert_close(model.state_dict()[first], mean)
    assert not torch.equal(mean, end.state_dict()[first])
    images = splits["train"].batch(torch.arange(64))[0]
    answers = torch.nn.functional.conv2d((images - 0.5) / 0.25, mean, stride=model.network.trunk[0].stride)
    found = model.state_dict()["network.trunk.1.running_mean"]
    np.testing.assert_allclose(found, answers.mean((0, 2, 3)), atol=1e-4)


def test_the_mean_depends_on_its_seed_alone_and_takes_any_number_of_members(splits):
    config = CONFIG.changed(batch=31)
    start, end = (build_classifier("efficientnet_b0", SIGMAS, seed=seed) for seed in (0, 1))
    means = []
    for outer in (5, 6):
        torch.manual_seed(outer)
        means.append(interpolate_weights(start, end, splits["train"], config=config, count=32))
    for one, other in zip(means[0].state_dict().values(), means[1].state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
