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


def test_two_processes_end_with_the_weights_of_one(training, tmp_path):
    train_on_patches(training)
    paths = {"model": str(tmp_path / "two.safetensors"), "history": str(tmp_path / "two.csv")}
    train_on_patches(dataclasses.replace(training, **paths), processes=2, threads=2)
    one, two = (load_model(tmp_path / f"{name}.safetensors", folded=False) for name in ("one", "two"))
    for mine, theirs in zip(two.state_dict().values(), one.state_dict().values(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4)
    rows = [np.loadtxt(tmp_path / f"{name}.csv", delimiter=",", skiprows=1) for name in ("one", "two")]
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-3, atol=1e-5)
    assert header(tmp_path / "two.safetensors") == header(tmp_path / "one.safetensors")
    assert not (tmp_path / "c").exists()


def test_the_weights_say_what_they_were_made_of(training):
    train_on_patches(training)
    assert json.loads(header(training.model)["about"]) == {"n": 1, "train": training.settings}
