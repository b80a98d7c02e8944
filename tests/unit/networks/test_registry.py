import pytest
import torch
from safetensors.torch import save_file

from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.registry import (
    backbone_file,
    backbone_names,
    backbone_of_weights,
    build_backbone,
    dense_backbone_names,
    patch_backbone_names,
)

SIGMAS = torch.linspace(0, 10, 20)


def test_a_wrong_name_is_answered_with_the_right_one():
    with pytest.raises(ValueError, match=r"no backbone 'mobilnet_v2'; did you mean 'mobilenet_v2'\? \(known: "):
        build_classifier("mobilnet_v2", SIGMAS)


def test_every_network_is_of_patches_or_dense_and_has_a_module():
    patch, dense = patch_backbone_names(), dense_backbone_names()
    assert sorted([*patch, *dense]) == backbone_names()
    assert {"blurnet", "mobilenet_v2", "resnet18"} <= set(patch)
    assert "scenenet" in dense
    for names, folder in ((patch, "backbones"), (dense, "dense")):
        for name in names:
            assert backbone_file(name).parts[-2:] == (folder, f"{name}.py")
    assert not any(name.startswith("_") for name in backbone_names())


@pytest.mark.parametrize("find", [backbone_file, lambda name: build_backbone(name, 2)])
def test_an_unknown_network_is_refused_with_the_choices(find):
    with pytest.raises(ValueError, match=r"^no backbone 'vgg' \(known: blurnet, .*, squeezenet\)$"):
        find("vgg")


def test_an_untrained_network_has_an_answer_for_each_level():
    assert build_backbone("blurnet", 7)(torch.rand(2, 1, 32, 32)).flatten(1).shape == (2, 7)
    assert build_backbone("scenenet", 7)(torch.rand(1, 1, 64, 48)).shape == (1, 7, 16, 12)


def test_weights_name_their_network_and_a_missing_file_is_named(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "a.safetensors", metadata={"backbone": "resnet18"})
    assert backbone_of_weights(tmp_path / "a.safetensors") == "resnet18"
    with pytest.raises(ValueError, match=r"no model file '.*none\.safetensors'"):
        backbone_of_weights(tmp_path / "none.safetensors")
