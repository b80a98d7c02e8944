import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from defocus_core.networks.classifier import build_classifier, fold_batch_norms
from defocus_core.networks.registry import backbone_names, backbone_of_weights
from defocus_core.networks.storage import load_model, save_model, weights_metadata

SIGMAS = torch.linspace(0, 10, 20)


@pytest.mark.parametrize("name", backbone_names())
def test_every_backbone_takes_patches_gives_logits_and_comes_back(name, tmp_path):
    model = build_classifier(name, SIGMAS).eval()
    patches = torch.rand(2, 1, 32, 32)
    logits = model(patches)
    assert logits.shape == (2, 20)
    save_model(model, tmp_path / "m.safetensors")
    assert torch.equal(load_model(tmp_path / "m.safetensors", folded=False)(patches), logits)


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


def test_the_same_seed_builds_the_same_network():
    one, two = (build_classifier("resnet18", SIGMAS, seed=4).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_blurnet_over_an_image_is_blurnet_over_its_windows():
    model = build_classifier("blurnet", SIGMAS).eval()
    image = torch.rand(1, 1, 60, 72)
    for step in (4, 8):
        windows = image.unfold(2, 32, step).unfold(3, 32, step)[0, 0]
        rows, columns = windows.shape[:2]
        with torch.inference_mode():
            loop = model(windows.reshape(-1, 1, 32, 32)).T.reshape(1, 20, rows, columns)
            torch.testing.assert_close(model.dense(image, step=step), loop, atol=1e-5, rtol=1e-4)


def test_a_wrong_name_is_answered_with_the_right_one():
    with pytest.raises(ValueError, match=r"no backbone 'mobilnet_v2'; did you mean 'mobilenet_v2'\? \(known: "):
        build_classifier("mobilnet_v2", SIGMAS)


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


@pytest.mark.parametrize("name", backbone_names())
def test_a_folded_model_answers_the_same_but_for_rounding(name):
    model = build_classifier(name, SIGMAS, seed=3)
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(norm.running_var, 0.5, 2)
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
    model.eval()
    patches = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(fold_batch_norms(model)(patches), model(patches), atol=1e-4, rtol=1e-4)


def test_folding_takes_the_norms_of_our_networks_and_leaves_the_model_as_it_was():
    model = build_classifier("scenenet", SIGMAS).eval()
    count = sum(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules())
    folded = fold_batch_norms(model)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    assert sum(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules()) == count > 0


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
