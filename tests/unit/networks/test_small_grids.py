import copy

import numpy as np
import pytest
import torch
from torch import nn

from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.small_grids import (
    MAX_PIXELS,
    SmallGridConv,
    SmallGridDepthwise,
    SmallGridPointwise,
    fast_small_grids,
)


def answers(network, images):
    """Return what a network makes of images, and the gradients of images and weights of a weighted sum of it."""
    network.zero_grad()
    images = images.clone().requires_grad_()
    out = network(images)
    weights = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).view(out.shape)
    (out * weights).sum().backward()
    return [out.detach(), images.grad, *(p.grad.clone() for p in network.parameters())]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("grid", [(1, 1), (2, 2), (4, 4), (5, 5)])  # the last one is not small
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_pointwise_convolution_is_a_matrix_product(grid, bias, layout):
    torch.manual_seed(0)
    layer = nn.Conv2d(6, 3, 1, bias=bias)
    images = torch.randn(5, 6, *grid).to(memory_format=layout)
    expected = answers(layer, images)
    with fast_small_grids(layer):
        assert type(layer) is SmallGridPointwise
        assert layer(images.to(memory_format=torch.channels_last)).is_contiguous(memory_format=torch.channels_last)
        found = answers(layer, images)
    for mine, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, plain, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("grid", [(1, 1), (2, 2), (1, 2), (1, 3), (3, 1), (4, 1), (4, 4)])  # the last one is not small
@pytest.mark.parametrize("stride", [1, 2, (1, 2)])
@pytest.mark.parametrize("kernel", [3, 5, 7, (3, 5)])
@pytest.mark.parametrize("groups", [1, 6])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_answers_and_gradients_are_those_of_the_plain_convolution(grid, stride, kernel, layout, groups):
    torch.manual_seed(0)
    padding = tuple(side // 2 for side in kernel) if isinstance(kernel, tuple) else kernel // 2
    layer = nn.Conv2d(6, 6, kernel, stride, padding, groups=groups, bias=False)
    images = torch.randn(5, 6, *grid).to(memory_format=layout)
    expected = answers(layer, images)
    with fast_small_grids(layer):
        assert type(layer) is (SmallGridConv if groups == 1 else SmallGridDepthwise)
        found = answers(layer, images)
    for mine, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, plain, atol=1e-5, rtol=1e-5)


def test_the_centre_weight_alone_meets_a_single_pixel():
    layer = nn.Conv2d(2, 2, 3, padding=1, groups=2, bias=False)
    layer.weight.data = torch.arange(18.0).view(2, 1, 3, 3)
    with fast_small_grids(layer):
        assert layer(torch.ones(1, 2, 1, 1)).flatten().tolist() == [4.0, 13.0]


@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v2", "densenet121"])
def test_a_network_trains_alike(name):
    torch.manual_seed(0)
    model = build_classifier(name, np.arange(3)).double().train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    images = torch.rand(16, 1, 32, 32, dtype=torch.float64)
    expected = answers(model, images)
    with fast_small_grids(model):
        found = answers(model, images)
    for mine, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, plain, atol=1e-9, rtol=1e-7)


def test_the_layers_are_plain_again_afterwards_and_after_an_error():
    model = build_classifier("mobilenet_v2", [0, 1])
    before = copy.deepcopy(model.state_dict())
    kinds = [type(layer) for layer in model.modules()]

    def is_as_before():
        same = all(torch.equal(before[key], value) for key, value in model.state_dict().items())
        return same and [type(layer) for layer in model.modules()] == kinds

    with fast_small_grids(model) as network:
        assert network is model
        assert {SmallGridDepthwise, SmallGridPointwise} <= {type(layer) for layer in model.modules()}
        assert list(model.state_dict()) == list(before)
    assert is_as_before()
    with pytest.raises(RuntimeError, match="killed"), fast_small_grids(model):
        raise RuntimeError("killed")
    assert is_as_before()


@pytest.mark.parametrize(
    ("kernel", "options"),
    [
        (3, {"groups": 1, "bias": True}),
        (3, {"groups": 4, "bias": True}),
        (3, {"groups": 2, "bias": False}),
        (3, {"groups": 4, "bias": False, "dilation": 2}),
        (3, {"groups": 4, "bias": False, "padding_mode": "reflect"}),
        (3, {"groups": 4, "bias": False, "padding": "same"}),
        (1, {"stride": 2}),
        (1, {"padding": 1}),
        (1, {"groups": 2}),
    ],
)
def test_other_convolutions_stay_as_they_are(kernel, options):
    layer = nn.Conv2d(4, 4, kernel, **options)
    with fast_small_grids(layer):
        assert type(layer) is nn.Conv2d


def test_double_precision_gives_the_plain_answer():
    layer = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False).double()
    images = torch.rand(2, 4, 1, 1, dtype=torch.float64)
    expected = layer(images)
    assert images.shape[2] * images.shape[3] <= MAX_PIXELS
    with fast_small_grids(layer):
        assert torch.equal(layer(images), expected)


def test_large_grids_and_half_precision_go_to_the_plain_convolution():
    layer = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
    images = torch.rand(2, 4, 8, 8)
    expected = layer(images)
    with fast_small_grids(layer):
        assert torch.equal(layer(images), expected)
        assert layer.half()(images.half()).dtype == torch.float16


def test_a_convolution_in_mixed_precision_is_a_product_in_mixed_precision():
    torch.manual_seed(0)
    layer = nn.Conv2d(16, 8, 3, padding=1, bias=False)
    images = torch.rand(4, 16, 2, 2, dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16), fast_small_grids(layer):
        found = layer(images)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), layer(images.float()), atol=0.02, rtol=0.02)


def test_a_prediction_before_a_training_does_no_harm():
    layer, images = nn.Conv2d(6, 6, (7, 5), padding=(3, 2), groups=6), torch.rand(2, 6, 2, 2)
    with fast_small_grids(layer):
        with torch.inference_mode():
            expected = layer(images)
        torch.testing.assert_close(answers(layer, images)[0], expected)
