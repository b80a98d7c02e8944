import pytest
import torch

from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.dense.scenenet import SceneNet


@pytest.fixture(scope="module")
def network():
    return build_classifier("scenenet", torch.linspace(0.4, 12, 20), seed=1).eval().network


@torch.inference_mode()
def test_there_is_an_answer_for_every_cell_and_a_feature_for_every_stride(network):
    images = torch.rand(2, 1, 64, 96)
    features = network.features(images)
    for values, stride in zip(features, SceneNet.feature_strides, strict=True):
        assert values.shape[2:] == (64 // stride, 96 // stride)
    answers = network.answer(features, network.summary(features))
    assert answers.shape == (2, 20, 64 // SceneNet.cell, 96 // SceneNet.cell)
    assert torch.equal(network(images), answers)


@pytest.mark.parametrize("place", [0, 200, 400])  # column of one pixel that changes
@torch.inference_mode()
def test_features_change_within_reach_of_a_pixel_and_nowhere_else(network, place):
    images = torch.rand(1, 1, 16, 616)
    changed = images.clone()
    changed[0, 0, 8, place] = 1 - changed[0, 0, 8, place]
    pairs = zip(network.features(images), network.features(changed), SceneNet.feature_strides, strict=True)
    for before, after, stride in pairs:
        columns = (before != after).any(2).any(1)[0].nonzero()[:, 0] * stride
        assert len(columns)
        assert columns.min() >= place - SceneNet.reach - stride
        assert columns.max() <= place + SceneNet.reach


@torch.inference_mode()
def test_the_summary_carries_the_mean_of_the_whole_image_to_every_answer(network):
    features = network.features(torch.rand(1, 1, 32, 32))
    summary = network.summary(features)
    torch.testing.assert_close(summary[0, :, 0, 0], features[1][0].mean((1, 2)))
    assert (network.answer(features, summary) != network.answer(features, summary + 1)).any(1).all()
