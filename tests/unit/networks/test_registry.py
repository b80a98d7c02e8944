import pytest
import torch

from defocus_core.networks.classifier import build_classifier

SIGMAS = torch.linspace(0, 10, 20)


def test_a_wrong_name_is_answered_with_the_right_one():
    with pytest.raises(ValueError, match=r"no backbone 'mobilnet_v2'; did you mean 'mobilenet_v2'\? \(known: "):
        build_classifier("mobilnet_v2", SIGMAS)
