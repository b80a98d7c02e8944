import numpy as np
import pytest
import torch

from defocus_core.training import augmentation
from defocus_core.training.loop import TrainConfig, train

SIGMAS = np.array([0.0, 4.0], np.float32)
CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=3e-3, augment=augmentation.AugmentConfig(flips=True))


def _train(splits, config=CONFIG, **more):
    return train("blurnet", sigmas=SIGMAS, config=config, **splits, **more)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_killed_run_goes_on_and_ends_as_an_unbroken_one(splits, tmp_path, schedule):
    config = CONFIG.changed(schedule=schedule)
    unbroken_model, unbroken = _train(splits, config)

    def kill(row):
        if row["epoch"] == 1:
            raise KilledError

    with pytest.raises(KilledError):
        _train(splits, config, checkpoint=tmp_path / "c", report=kill)
    seen = []
    model, history = _train(splits, config, checkpoint=tmp_path / "c", report=seen.append)
    assert history == unbroken
    assert seen == unbroken
    for mine, other in zip(model.state_dict().values(), unbroken_model.state_dict().values(), strict=True):
        assert torch.equal(mine, other)


def test_a_damaged_or_foreign_checkpoint_only_costs_its_epochs(splits, tmp_path):
    (tmp_path / "c").write_bytes(b"\x80\x04garbage")
    _, history = _train(splits, checkpoint=tmp_path / "c")
    assert history == _train(splits)[1]
    other = CONFIG.changed(learning_rate=1e-4)
    assert _train(splits, other, checkpoint=tmp_path / "c")[1] == _train(splits, other)[1]
