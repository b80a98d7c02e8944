import numpy as np
import pytest
import torch

from defocus_core.training.datasets import SceneDataset
from defocus_core.training.loop import evaluate
from defocus_core.training.losses import level_accuracy, level_cross_entropy, level_to_sigma


class Certain(torch.nn.Module):
    """Gives every pixel the same chances of three levels."""

    sigmas = torch.tensor([1.0, 2.0, 8.0])
    chances = torch.tensor([0.2, 0.5, 0.3])

    def dense(self, images):
        return self.chances.log().view(1, 3, 1, 1).expand(len(images), 3, 2, 2)


@pytest.mark.parametrize(("level", "right"), [(1.25, 1.0), (0.75, 1.0), (1.75, 0.0)])
def test_a_level_between_two_is_scored_by_its_nearness_to_both(level, right):
    data = SceneDataset(torch.zeros(2, 8, 8, dtype=torch.uint8), torch.full((2, 2, 2), level))
    below = int(level)
    share, chances, sigmas = level - below, [0.2, 0.5, 0.3], [1, 2, 8]
    scores = evaluate(Certain(), data)
    loss = -((1 - share) * np.log(chances[below]) + share * np.log(chances[below + 1]))
    sigma = sigmas[below] ** (1 - share) * sigmas[below + 1] ** share
    expected = {"loss": loss, "accuracy": right, "mae_sigma": abs(0.2 * 1 + 0.5 * 2 + 0.3 * 8 - sigma)}
    assert scores == pytest.approx(expected, rel=1e-5)


def test_whole_levels_have_the_plain_cross_entropy_and_a_half_the_mean_of_two():
    scores = torch.tensor([[0.2, 0.5, 0.3]]).log()
    assert level_cross_entropy(scores, torch.tensor([1])) == pytest.approx(-np.log(0.5))
    assert level_cross_entropy(scores, torch.tensor([1.0])) == pytest.approx(-np.log(0.5))
    assert level_cross_entropy(scores, torch.tensor([2.0])) == pytest.approx(-np.log(0.3))  # the last has none above
    assert level_cross_entropy(scores, torch.tensor([0.5])) == pytest.approx(-(np.log(0.2) + np.log(0.5)) / 2)


def test_a_level_halfway_is_the_geometric_mean_of_two_sigmas():
    sigmas = torch.tensor([1.0, 4.0, 9.0])
    torch.testing.assert_close(level_to_sigma(torch.tensor([0.5, 1.5, 2.0]), sigmas), torch.tensor([2.0, 6.0, 9.0]))
    with_zero = torch.tensor([0.0, 4.0])  # whole levels need no logarithm
    torch.testing.assert_close(level_to_sigma(torch.tensor([0, 1]), with_zero), with_zero)


def test_the_accuracy_counts_the_nearest_level():
    scores = torch.eye(3)[[0, 1, 2, 2]]
    assert level_accuracy(scores, torch.tensor([0, 1, 2, 1])) == 0.75
    assert level_accuracy(scores, torch.tensor([0.4, 0.6, 1.6, 1.4])) == 0.75
