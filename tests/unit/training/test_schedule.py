import numpy as np
import pytest

from defocus_core.training import augmentation
from defocus_core.training.loop import TrainConfig, train

SIGMAS = np.array([0.0, 4.0], np.float32)
CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=3e-3, augment=augmentation.AugmentConfig(flips=True))


def _train(splits, config=CONFIG, **more):
    return train("blurnet", sigmas=SIGMAS, config=config, **splits, **more)


def test_the_cosine_warms_up_and_ends_near_nothing(splits):
    config = CONFIG.changed(epochs=4, batch=32, schedule="cosine")
    rates = [row["learning_rate"] for row in _train(splits, config)[1]]
    done = (np.arange(4) * 4 + 3) / 16  # of the last of four steps an epoch
    np.testing.assert_allclose(rates, 3e-3 * (1 + np.cos(np.pi * done)) / 2, rtol=1e-6)
    one = config.changed(epochs=40, batch=128)
    assert _train(splits, one.changed(epochs=1))[1][0]["learning_rate"] == pytest.approx(3e-3 * 1e-3 / 0.05, rel=1e-6)
