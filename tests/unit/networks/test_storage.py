"""The shipped weights give the scores that their cards say."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from defocus_core.blur.rendering import render_defocus
from defocus_core.evaluation import metrics
from defocus_core.evaluation.known_scenes import load_motorcycle
from defocus_core.maps.pipeline import estimate
from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.registry import backbone_of_weights
from defocus_core.networks.storage import WEIGHTS_FOLDER, load_model, save_model, shipped_models, weights_metadata

SCORES = {  # mean absolute error in pixels, correlation
    "blurnet": (0.939, 0.859),
    "blurnet_published": (1.108, 0.833),
    "mobilenet_v2": (1.066, 0.821),
    "scenenet": (0.764, 0.922),
}


@pytest.fixture(scope="module")
def photograph():
    scene = load_motorcycle()
    strength = 8 / float(np.ptp(scene.disparity))
    return render_defocus(scene, focus=float(np.quantile(scene.disparity, 0.9)), sigma_per_disparity=strength)


@pytest.mark.parametrize("name", SCORES)
def test_a_shipped_model_scores_on_the_motorcycle_as_its_card_says(photograph, name):
    image, truth = photograph
    scores = metrics.sigma_errors(estimate(image, model=name, step=8), truth)
    assert (scores["mae"], scores["correlation"]) == pytest.approx(SCORES[name], abs=0.01)
    card = (WEIGHTS_FOLDER / f"{name}.md").read_text()
    assert f"{SCORES[name][0]:.3f} pixels, correlation {SCORES[name][1]:.3f}" in card


def test_every_shipped_model_has_a_card_and_a_score():
    assert set(shipped_models()) == set(SCORES)
    assert {path.stem for path in Path(WEIGHTS_FOLDER).glob("*.md")} == set(SCORES)
    assert sum(path.stat().st_size for path in Path(WEIGHTS_FOLDER).glob("*")) < 20e6


SIGMAS = torch.linspace(0, 10, 20)


def test_saved_models_come_back_with_their_sigmas(tmp_path):
    model = build_classifier("blurnet", SIGMAS).eval()
    save_model(model, tmp_path / "m.safetensors", about={"note": 1})
    again = load_model(tmp_path / "m.safetensors", folded=False)
    patches = torch.rand(3, 1, 32, 32)
    assert not again.training
    assert torch.equal(again.sigmas, SIGMAS)
    assert torch.equal(again(patches), model(patches))
    assert weights_metadata(tmp_path / "m.safetensors") == {"backbone": "blurnet", "note": 1}
    assert backbone_of_weights(tmp_path / "m.safetensors") == "blurnet"


class Trap:
    def __reduce__(self):
        return (exec, ("open('trapped', 'w').close()",))


@pytest.mark.parametrize("content", [pickle.dumps(Trap()), b"", b"\0" * 64, json.dumps({}).encode()])
def test_nothing_but_safetensors_is_loaded_and_no_code_runs(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="not weights of this project"):
        load_model(tmp_path / "bad.safetensors")
    assert not (tmp_path / "trapped").exists()


def test_weights_of_something_else_are_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    for header in (None, {"backbone": "vgg"}, {"backbone": "blurnet"}):
        save_file({"x": torch.zeros(1)}, path, metadata=header)
        with pytest.raises(ValueError, match="not weights of this project"):
            load_model(path)


def test_a_folded_model_is_not_saved(tmp_path):
    model = load_model()
    with pytest.raises(ValueError, match="load it with folded=False"):
        save_model(model, tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_same_network_is_saved_as_the_same_bytes(tmp_path):
    model = build_classifier("blurnet", [0, 1])
    saved = []
    for _ in range(8):
        save_model(model, tmp_path / "m.safetensors", about={"train": "ü"})
        saved.append((tmp_path / "m.safetensors").read_bytes())
    assert len(set(saved)) == 1
    assert weights_metadata(tmp_path / "m.safetensors") == {"backbone": "blurnet", "train": "ü"}
