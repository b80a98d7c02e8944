import numpy as np
import pytest
import torch
from torch import nn

from defocus_core.constants import PATCH_SIZE
from defocus_core.evaluation import comparison
from defocus_core.evaluation.comparison import measure_cost
from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.storage import save_model


def multiply_adds(model):
    """Count by hand: each output of a layer is a sum over the inputs that its weights reach."""
    total = []

    def count(layer, _, output):
        positions = output.numel() // output.shape[1]
        total.append(layer.weight.numel() * positions)

    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        model(torch.rand(1, 1, PATCH_SIZE, PATCH_SIZE))
    return sum(total)


def test_a_network_costs_its_multiply_adds_and_its_seconds_a_patch(tmp_path, monkeypatch):
    model = build_classifier("resnet18", np.arange(20, dtype=np.float32)).eval()
    save_model(model, tmp_path / "a.safetensors")
    monkeypatch.setattr(comparison, "_time_forward", lambda model, batch, repeats: 0.002 * batch)
    found = measure_cost(tmp_path / "a.safetensors", batch=16)
    assert found["macs"] == multiply_adds(model)
    assert found["parameters"] == sum(part.numel() for part in model.parameters())
    assert found["latency_one_ms"] == pytest.approx(2)
    assert found["latency_batch_ms"] == pytest.approx(2)
