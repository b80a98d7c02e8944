import numpy as np
import pytest
import torch
from torch import nn

from defocus_core.constants import PATCH_SIZE
from defocus_core.evaluation import comparison
from defocus_core.evaluation.comparison import measure_cost, score_classifier
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


def test_a_classifier_of_other_levels_is_scored_by_the_nearest():
    sigmas = np.array([1, 3, 9], np.float32)
    model = build_classifier("blurnet", sigmas).eval()
    rng = np.random.default_rng(0)
    columns = {
        "patches": rng.integers(0, 256, (40, PATCH_SIZE, PATCH_SIZE), np.uint8),
        "level": np.zeros(40, np.int64),
        "sigmas": np.array([1.2, 9.5], np.float32),  # the first is nearest to 1 and 3
    }
    with torch.inference_mode():
        logits = model(torch.from_numpy(columns["patches"])[:, None].float() / 255)
    chances = logits.softmax(1)
    near = (chances[:, 2] < 0.5).float().mean()
    found = score_classifier(model, columns)
    assert found["accuracy"] == pytest.approx(float(near))
    assert len(found["f1"]) == 2
