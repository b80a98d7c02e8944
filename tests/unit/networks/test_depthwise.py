import copy

import pytest
import torch
from torch import nn

from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.depthwise import MAX_PIXELS, SmallGridDepthwise, fast_depthwise


def answers(layer, images):
    """Return what a layer makes of images, and the gradients of images and weights of a weighted sum of it."""
    layer.zero_grad()
    images = images.clone().requires_grad_()
    out = layer(images)
    weights = torch.linspace(-1, 2, out.numel()).view(out.shape)
    (out * weights).sum().backward()
    return out, images.grad, layer.weight.grad


@pytest.mark.parametrize("grid", [(1, 1), (2, 2), (1, 2), (3, 1), (4, 4)])  # the last one is not small
@pytest.mark.parametrize("stride", [1, 2, (1, 2)])
@pytest.mark.parametrize("kernel", [3, 5, (3, 5)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_answers_and_gradients_are_those_of_the_plain_convolution(grid, stride, kernel, layout):
    torch.manual_seed(0)
    padding = tuple(side // 2 for side in kernel) if isinstance(kernel, tuple) else kernel // 2
    layer = nn.Conv2d(6, 6, kernel, stride, padding, groups=6, bias=False)
    images = torch.rand(3, 6, *grid).to(memory_format=layout)
    expected = answers(layer, images)
    with fast_depthwise(layer):
        assert type(layer) is SmallGridDepthwise
        found = answers(layer, images)
    for mine, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, plain, atol=1e-5, rtol=1e-5)


def test_the_layers_are_plain_again_afterwards_and_after_an_error():
    model = build_classifier("mobilenet_v2", [0, 1])
    before = copy.deepcopy(model.state_dict())
    kinds = [type(layer) for layer in model.modules()]

    def is_as_before():
        same = all(torch.equal(before[key], value) for key, value in model.state_dict().items())
        return same and [type(layer) for layer in model.modules()] == kinds

    with fast_depthwise(model) as network:
        assert network is model
        assert any(type(layer) is SmallGridDepthwise for layer in model.modules())
        assert list(model.state_dict()) == list(before)
    assert is_as_before()
    with pytest.raises(RuntimeError, match="killed"), fast_depthwise(model):
        raise RuntimeError("killed")
    assert is_as_before()


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 1, "bias": False},
        {"groups": 4, "bias": True},
        {"groups": 2, "bias": False},
        {"groups": 4, "bias": False, "dilation": 2},
        {"groups": 4, "bias": False, "padding_mode": "reflect"},
        {"groups": 4, "bias": False, "padding": "same"},
    ],
)
def test_other_convolutions_stay_as_they_are(options):
    layer = nn.Conv2d(4, 4, 3, **options)
    with fast_depthwise(layer):
        assert type(layer) is nn.Conv2d


def test_double_precision_goes_to_the_plain_convolution():
    layer = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False).double()
    images = torch.rand(2, 4, 1, 1, dtype=torch.float64)
    expected = layer(images)
    assert images.shape[2] * images.shape[3] <= MAX_PIXELS
    with fast_depthwise(layer):
        assert torch.equal(layer(images), expected)
