import pytest
import torch
from torch.nn import functional

from defocus_core.networks.backbones import nasnet_mobile


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nasnet_mobile.build(5).eval()


def test_it_is_as_large_as_published(network):
    """4 @ 1056 as trained on ImageNet, without its classifier of 1056 features."""
    parameters = sum(p.numel() for p in network.parameters())
    assert parameters - (1056 * 5 + 5) == 4_232_978
    assert sum(b.numel() for key, b in network.named_buffers() if "running" in key) == 36_738


def test_grids_halve_at_the_stem_and_in_four_reductions(network):
    sizes = []
    hooks = [
        cell.register_forward_hook(lambda cell, given, answer: sizes.append(tuple(answer.shape[1:])))
        for cell in network.cells
    ]
    assert network(torch.rand(1, 3, 32, 32)).shape == (1, 5)
    for hook in hooks:
        hook.remove()
    normal = [(264, 4, 4)] * 4, [(528, 2, 2)] * 4, [(1056, 1, 1)] * 4
    assert sizes == [(44, 8, 8), (88, 4, 4), *normal[0], (352, 2, 2), *normal[1], (704, 1, 1), *normal[2]]


def test_a_halved_grid_takes_even_and_odd_pixels():
    halved = nasnet_mobile.Halved(1, 2).eval()
    for layer in (halved.even, halved.odd):
        layer.weight.data.fill_(1)
    images = torch.arange(25.0).view(1, 1, 5, 5)
    even, odd = halved(images)[0] * (1 + 1e-3) ** 0.5
    torch.testing.assert_close(even, images[0, 0, ::2, ::2])
    torch.testing.assert_close(odd, functional.pad(images[0, 0, 1::2, 1::2], (0, 1, 0, 1)))


def test_means_at_the_border_are_of_the_pixels_there():
    assert torch.equal(nasnet_mobile._mean(torch.ones(1, 1, 3, 3)), torch.ones(1, 1, 3, 3))
