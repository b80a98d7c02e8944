import pytest
import torch

from defocus_core.networks.classifier import build_classifier, fold_batch_norms, tensor_digest
from defocus_core.networks.registry import backbone_names

SIGMAS = torch.linspace(0, 10, 20)


def test_the_same_seed_builds_the_same_network():
    one, two = (build_classifier("resnet18", SIGMAS, seed=4).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("name", backbone_names())
def test_a_folded_model_answers_the_same_but_for_rounding(name):
    model = build_classifier(name, SIGMAS, seed=3)
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(norm.running_var, 0.5, 2)
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
    model.eval()
    patches = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(fold_batch_norms(model)(patches), model(patches), atol=1e-4, rtol=1e-4)


def test_folding_takes_the_norms_of_our_networks_and_leaves_the_model_as_it_was():
    model = build_classifier("scenenet", SIGMAS).eval()
    count = sum(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules())
    folded = fold_batch_norms(model)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    assert sum(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules()) == count > 0


def test_a_digest_tells_tensors_by_their_shapes_too():
    assert tensor_digest(torch.zeros(2, 8)) == tensor_digest(torch.zeros(2, 8))
    assert tensor_digest(torch.zeros(2, 8)) != tensor_digest(torch.zeros(4, 4))
