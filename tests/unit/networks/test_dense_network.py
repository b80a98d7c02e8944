"""Maps run any dense network that keeps to the protocol: here a second one, of other strides and cell than SceneNet."""

import importlib.util
import sys

import numpy as np
import pytest
import torch

from defocus_core.maps import tiles
from defocus_core.maps.config import MapConfig
from defocus_core.maps.pipeline import estimate
from defocus_core.maps.tiles import predict_tiled
from defocus_core.networks import registry
from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.storage import load_model, save_model

SIGMAS = torch.linspace(0.4, 12, 5)
TINY = '''
import torch
from torch import nn
from torch.nn import functional


class TinyNet(nn.Module):
    """Two convolutions: answers at every second pixel, features at every second and every sixth."""

    cell = 2
    feature_strides = (2, 6)
    reach = 12
    answer_reach = 12

    def __init__(self, levels):
        super().__init__()
        self.fine = nn.Conv2d(1, levels, 3, stride=2, padding=1)
        self.coarse = nn.Conv2d(levels, levels, 5, stride=3, padding=1)

    def forward(self, images):
        features = self.features(images)
        return self.answer(features, self.summary(features))

    def features(self, images):
        fine = self.fine(images).relu()
        return fine, self.coarse(fine)

    def summary(self, features):
        return features[-1].mean((2, 3), keepdim=True)

    def answer(self, features, summary):
        fine, coarse = features
        wide = functional.interpolate(coarse - summary, size=fine.shape[2:], mode="bilinear", align_corners=False)
        return 8 * (fine + wide)


build = TinyNet
'''


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The network as one more module of the folder of dense networks; its classifier."""
    file = tmp_path / "dense/tinynet.py"
    file.parent.mkdir()
    file.write_text(TINY)
    name = "defocus_core.networks.dense.tinynet"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, name, module)
    known = registry._modules()
    monkeypatch.setattr(registry, "_modules", lambda: {**known, "tinynet": file})
    return build_classifier("tinynet", SIGMAS, seed=2).eval()


def test_it_is_known_by_name_and_saved_and_loaded_as_the_others(tiny, tmp_path):
    assert "tinynet" in registry.dense_backbone_names()
    assert (tiny.cell, tiny.stride) == (2, None)
    assert tiny(torch.rand(3, 1, 36, 36)).shape == (3, 5)
    assert tiny.dense(torch.rand(1, 1, 36, 48)).shape == (1, 5, 18, 24)
    save_model(tiny, tmp_path / "m.safetensors")
    image = torch.rand(1, 1, 36, 36)
    again = load_model(tmp_path / "m.safetensors", folded=False)
    assert torch.equal(again.dense(image), tiny.dense(image))


@pytest.mark.parametrize("shape", [(200, 150), (97, 131, 3), (5, 40), (1, 1)])
def test_it_gives_maps_of_any_size(tiny, shape):
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    sigma = estimate(image, model=tiny)
    assert sigma.shape == shape[:2]
    assert sigma.dtype == np.float32
    assert np.isfinite(sigma).all()
    assert sigma.min() >= 0


@pytest.mark.parametrize("shape", [(240, 180), (203, 151)])  # multiples of the coarsest stride, and none
def test_its_tiled_answer_is_the_untiled_one(tiny, monkeypatch, shape):
    grey = np.random.default_rng(1).random(shape, dtype=np.float32)
    config = MapConfig(min_pyramid_side=0, bfloat16=False)
    whole = predict_tiled(grey, tiny, config=config)
    assert np.ptp(whole[0]) > 0.5
    untiled = estimate(grey, model=tiny, refine=False, config=config)
    monkeypatch.setattr(tiles, "TILE_SIDE", 48)
    for mine, other in zip(predict_tiled(grey, tiny, config=config), whole, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)
    np.testing.assert_allclose(estimate(grey, model=tiny, refine=False, config=config), untiled, atol=1e-4)


def test_the_tiled_answer_is_that_of_the_network_itself(tiny):
    grey = np.random.default_rng(2).random((60, 66), dtype=np.float32)
    with torch.inference_mode():
        chances = tiny.dense(torch.from_numpy(grey)[None, None])[0].softmax(0)
    expected = torch.einsum("lrc,l->rc", chances, SIGMAS)
    values, _ = predict_tiled(grey, tiny, config=MapConfig(log_sigma=False, bfloat16=False))
    np.testing.assert_allclose(values[::2, ::2][1:-1, 1:-1], smoothed(expected.numpy()), atol=1e-4)


def smoothed(cells):
    """Cells of two pixels, stretched to the image linearly: the upper left pixel of each, but for the frame."""
    rows = 0.75 * cells[1:-1] + 0.25 * cells[:-2]
    return 0.75 * rows[:, 1:-1] + 0.25 * rows[:, :-2]
