import json

import numpy as np
import pytest
import torch

from defocus_core.training.checkpoint import TrainingState, snapshot
from defocus_core.training.config import AugmentConfig, TrainConfig
from defocus_core.training.datasets import PatchDataset
from defocus_core.training.loop import _stamp, train

SIGMAS = np.array([0.0, 4.0], np.float32)
CONFIG = TrainConfig(epochs=3, batch=16, learning_rate=3e-3, augment=AugmentConfig(flips=True))


def _train(splits, config=CONFIG, **more):
    return train("blurnet", sigmas=SIGMAS, config=config, **splits, **more)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("changes", [{}, {"schedule": "cosine"}, {"optimizer": "muon"}], ids=str)
def test_a_killed_run_goes_on_and_ends_as_an_unbroken_one(splits, tmp_path, changes):
    config = CONFIG.changed(**changes)
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


def test_a_checkpoint_counts_though_settings_have_gained_a_key(splits):
    stamp = json.loads(_stamp("blurnet", **splits, config=CONFIG, seed=0, start=None))
    assert stamp[3] == {"epochs": 3, "batch": 16, "learning_rate": 3e-3, "augment": {"flips": True}}


def test_a_damaged_or_foreign_checkpoint_only_costs_its_epochs(splits, tmp_path):
    (tmp_path / "c").write_bytes(b"\x80\x04garbage")
    _, history = _train(splits, checkpoint=tmp_path / "c")
    assert history == _train(splits)[1]
    other = CONFIG.changed(learning_rate=1e-4)
    assert _train(splits, other, checkpoint=tmp_path / "c")[1] == _train(splits, other)[1]


def assert_same_weights(model, other):
    for mine, theirs in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("steps", [3, 11])  # of eight an epoch
def test_a_run_killed_within_an_epoch_goes_on_from_its_step(splits, tmp_path, ema, steps):
    config = CONFIG.changed(epochs=2, ema=ema)
    unbroken_model, unbroken = _train(splits, config)
    drawn, last = [], steps

    class Watched(PatchDataset):
        """Notes the batches of the training; after some it ends the run, as a power cut does."""

        def batch(self, *arguments):
            if len(drawn) == last:
                raise KilledError
            drawn.append(arguments[0])
            return super().batch(*arguments)

    patches = splits["train"]
    watched = {"train": Watched(patches.images, patches.level), "validation": patches}
    options = {"checkpoint": tmp_path / "c", "checkpoint_seconds": 0}
    with pytest.raises(KilledError):
        _train(watched, config, **options)
    drawn, last = [], None
    model, history = _train(watched, config, **options)
    assert len(drawn) == 16 - steps
    assert history == unbroken
    assert_same_weights(model, unbroken_model)


def test_a_state_comes_back_as_it_was_saved(tmp_path):
    def state(seed):
        torch.manual_seed(seed)
        networks = {"model": torch.nn.Linear(3, 2), "average": torch.nn.Linear(3, 2)}
        optimizer = torch.optim.AdamW(networks["model"].parameters())
        best = {"weight": torch.rand(2, 3)}
        return TrainingState(networks, optimizer, best, sums=torch.rand(2))

    saved, resumed = state(0), state(1)
    saved.networks["model"](torch.rand(4, 3)).sum().backward()
    saved.optimizer.step()
    saved.step, saved.history = 7, [{"epoch": 0, "validation_loss": 0.1 + 0.2}]
    saved.save(tmp_path / "c", stamp="mine")
    before = {name: snapshot(network) for name, network in resumed.networks.items()}
    resumed.resume(tmp_path / "c", stamp="another")
    assert resumed.step == 0
    assert all(torch.equal(before["model"][key], value) for key, value in snapshot(resumed.networks["model"]).items())
    resumed.resume(tmp_path / "c", stamp="mine")
    assert (resumed.step, resumed.history) == (saved.step, saved.history)
    torch.testing.assert_close(resumed.best, saved.best, rtol=0, atol=0)
    torch.testing.assert_close(resumed.sums, saved.sums, rtol=0, atol=0)
    for name in saved.networks:
        assert_same_weights(resumed.networks[name], saved.networks[name])
    moments = [s.optimizer.state_dict()["state"] for s in (saved, resumed)]
    torch.testing.assert_close(*moments, rtol=0, atol=0)
