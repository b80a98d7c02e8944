import numpy as np
import pytest
import torch

from defocus_core.evaluation.known_scenes import load_motorcycle
from defocus_core.io.color import to_grey
from defocus_core.training.config import SceneConfig
from defocus_core.training.datasets import PatchDataset
from defocus_core.training.layered_scenes import read_scenes, write_scenes
from defocus_core.training.scene_photographs import SegmentedPhotograph


@pytest.fixture(scope="module")
def splits():
    """Noise, and the same noise smoothed: two levels that one epoch can tell apart."""
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (64, 32, 32), dtype=np.uint8)
    smooth = np.repeat(np.repeat(sharp[:, ::8, ::8], 8, 1), 8, 2)
    columns = {"patches": np.concatenate([sharp, smooth]), "level": np.repeat(np.array([0, 1], np.uint8), 64)}
    patches = PatchDataset.of(columns, torch.device("cpu"))
    return {"train": patches, "validation": patches}


@pytest.fixture(scope="module")
def greys():
    return [
        to_grey(load_motorcycle().image),
        np.random.default_rng(0).random((128, 150), dtype=np.float32),
    ]


@pytest.fixture(scope="module")
def columns(greys, tmp_path_factory):
    path = tmp_path_factory.mktemp("scenes") / "s.h5"
    write_scenes([SegmentedPhotograph.of(grey) for grey in greys], path, config=SceneConfig(size=64), count=8, seed=3)
    return read_scenes(path)


@pytest.fixture
def photograph():
    return np.random.default_rng(1).random((100, 140), dtype=np.float32)
