import numpy as np
import pytest
import torch

from defocus_core.maps.config import PAPER_CONFIG
from defocus_core.maps.windows import predict_windows


class Brightness(torch.nn.Module):
    """A stand-in that answers level 1 where the patch's first pixel is bright; a patch loop by nature."""

    stride = cell = None
    sigmas = torch.tensor([0.0, 10.0])

    def forward(self, patches):
        bright = patches[:, 0, 0, 0] > 0.5
        return torch.stack([~bright, bright], 1) * 100.0


def test_winner_takes_the_likeliest_level():
    grey = np.zeros((32, 64), np.float32)
    grey[0, 16] = 1
    sigma, certainty = predict_windows(grey, Brightness(), step=16, config=PAPER_CONFIG)
    assert sigma.tolist() == [[0, 10, 0]]
    np.testing.assert_allclose(certainty, 1)


def test_the_expected_blur_is_the_geometric_mean_of_the_levels():
    class Halves(Brightness):
        sigmas = torch.tensor([0.4, 10.0])

        def forward(self, patches):
            return torch.zeros(len(patches), 2)

    values, certainty = predict_windows(np.zeros((32, 32), np.float32), Halves(), step=16)
    assert np.exp(values[0, 0]) == pytest.approx(np.sqrt(0.5 * 10.1))
    assert certainty[0, 0] == pytest.approx(0, abs=1e-6)
