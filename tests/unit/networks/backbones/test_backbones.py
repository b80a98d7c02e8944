import pytest
import torch

from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.registry import backbone_names
from defocus_core.networks.storage import load_model, save_model

SIGMAS = torch.linspace(0, 10, 20)


@pytest.mark.parametrize("name", backbone_names())
def test_every_backbone_takes_patches_gives_logits_and_comes_back(name, tmp_path):
    model = build_classifier(name, SIGMAS).eval()
    patches = torch.rand(2, 1, 32, 32)
    logits = model(patches)
    assert logits.shape == (2, 20)
    save_model(model, tmp_path / "m.safetensors")
    assert torch.equal(load_model(tmp_path / "m.safetensors", folded=False)(patches), logits)
