import numpy as np
import pytest
import torch
from torch import nn

from defocus_core.training.muon import Muon, orthogonalised


class _Net(nn.Sequential):
    def __init__(self):
        torch.manual_seed(0)
        super().__init__(
            nn.Conv2d(1, 8, 3),
            nn.BatchNorm2d(8),
            nn.Conv2d(8, 8, 3, groups=8),
            nn.Conv2d(8, 16, 1),
            nn.Conv2d(16, 4, 3),
        )


@pytest.mark.parametrize("shape", [(16, 40), (40, 16), (1, 9), (24, 24)])
def test_singular_values_come_near_to_one_and_vectors_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    matrix = left @ torch.diag(torch.linspace(1, 0.2, len(values))) @ right
    near = orthogonalised(matrix)
    found = torch.linalg.svdvals(near)
    assert found.min() > 0.6
    assert found.max() < 1.3
    assert (near - left @ right).norm() < 0.35 * (left @ right).norm()
    torch.testing.assert_close(orthogonalised(1e3 * matrix), near, rtol=0, atol=0.05)


def test_only_convolutions_that_mix_channels_step_otherwise_than_by_adamw():
    theirs, ours = _Net(), _Net()
    images = torch.rand(4, 1, 9, 9)
    for network, optimizer in (
        (theirs, torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1)),
        (ours, Muon(ours, lr=0.01, weight_decay=0.1)),
    ):
        network(images).square().mean().backward()
        optimizer.step()
    pairs = zip(ours.named_parameters(), theirs.parameters(), strict=True)
    assert [name for (name, mine), value in pairs if not torch.equal(mine, value)] == ["3.weight", "4.weight"]


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_is_as_long_as_one_of_adamw(fused):
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 64, 3, bias=False)
    before = layer.weight.detach().clone()
    optimizer = Muon(layer, lr=0.01, weight_decay=0, fused=fused)
    layer.weight.grad = torch.randn_like(layer.weight)
    optimizer.step()
    step = (layer.weight.detach() - before).square().mean().sqrt()
    assert float(step) == pytest.approx(0.2 * 0.01, rel=0.25)


def test_weights_decay_as_much_as_by_adamw():
    layer = nn.Conv2d(4, 4, 1, bias=False)
    before = layer.weight.detach().clone()
    layer.weight.grad = torch.zeros_like(layer.weight)
    Muon(layer, lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(layer.weight.detach(), before * 0.95, rtol=1e-5)
