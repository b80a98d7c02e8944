import pytest
import torch

from defocus_core.networks.classifier import build_classifier


@pytest.fixture(scope="module")
def blurnet():
    return build_classifier("blurnet", torch.linspace(0, 10, 20), seed=1).eval()
