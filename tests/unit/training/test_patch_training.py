import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from defocus_core.networks.storage import load_model
from defocus_core.training import patch_training
from defocus_core.training.patch_store import PatchWriter
from defocus_core.training.patch_training import PatchTraining, train_on_patches


@pytest.fixture
def training(tmp_path, monkeypatch):
    """Four steps on noise of two levels of contrast; the process of the tests gives freed memory back."""
    monkeypatch.setattr(patch_training, "keep_freed_memory", lambda: True)
    rng = np.random.default_rng(0)
    with PatchWriter(tmp_path / "train.h5", sigmas=[0, 4], images=["a"], parameters={"n": 1}) as writer:
        for level, contrast in enumerate((255, 25)):
            patches = rng.integers(0, contrast, (32, 32, 32), dtype=np.uint8)
            writer.append(patches=patches, level=level, image=0, position=np.zeros((32, 2), np.int32))
    settings = {
        "epochs": None,
        "patch_steps": 64,
        "batch": 16,
        "bfloat16": False,
        "augment": {"flips": True, "noise": 4},
    }
    return PatchTraining(
        backbone="blurnet",
        train=str(tmp_path / "train.h5"),
        validation=str(tmp_path / "train.h5"),
        settings={**settings, "schedule": "onecycle", "weight_decay": 0.05, "ema": 0.5},
        seed=0,
        checkpoint=str(tmp_path / "c"),
        model=str(tmp_path / "one.safetensors"),
        history=str(tmp_path / "one.csv"),
    )


def header(path):
    with safe_open(path, "np") as file:
        return file.metadata()


def weights_and_history(tmp_path, name):
    weights = load_model(tmp_path / f"{name}.safetensors", folded=False).state_dict()
    return weights, np.loadtxt(tmp_path / f"{name}.csv", delimiter=",", skiprows=1)


def test_two_processes_end_with_the_weights_of_one(training, tmp_path):
    train_on_patches(training)
    paths = {"model": str(tmp_path / "two.safetensors"), "history": str(tmp_path / "two.csv")}
    train_on_patches(dataclasses.replace(training, **paths), processes=2, threads=2)
    (one, rows_of_one), (two, rows_of_two) = (weights_and_history(tmp_path, name) for name in ("one", "two"))
    for mine, theirs in zip(two.values(), one.values(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)
    np.testing.assert_allclose(rows_of_two, rows_of_one, rtol=1e-3, atol=1e-5)
    assert header(tmp_path / "two.safetensors") == header(tmp_path / "one.safetensors")
    assert not (tmp_path / "c").exists()


def test_statistics_of_each_part_train_a_little_otherwise(training, tmp_path):
    own = {**training.settings, "joint_batch_norms": False, "patch_steps": 16, "ema": 0, "augment": {}}
    for processes, name in enumerate(("one", "two"), start=1):
        paths = {"model": str(tmp_path / f"{name}.safetensors"), "history": str(tmp_path / f"{name}.csv")}
        train_on_patches(dataclasses.replace(training, settings=own, **paths), processes=processes, threads=2)
    (one, rows_of_one), (two, rows_of_two) = (weights_and_history(tmp_path, name) for name in ("one", "two"))
    assert 1e-4 < abs(rows_of_two[3] / rows_of_one[3] - 1) < 0.1  # the loss of the only step, on the same 16 patches
    assert all(torch.isfinite(tensor).all() for tensor in two.values())
    assert any((two[name] - tensor).abs().max() > 1e-3 for name, tensor in one.items())


def test_the_weights_say_what_they_were_made_of(training):
    train_on_patches(training)
    assert json.loads(header(training.model)["about"]) == {"n": 1, "train": training.settings}
