import numpy as np
import pytest

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation.baselines import scale_space


def step_of(sigma, shape=(80, 120)):
    step = np.full(shape, 0.1, np.float32)
    step[:, shape[1] // 2 :] = 0.9
    return gaussian_blur(step, sigma)


@pytest.mark.parametrize("sigma", [0.7, 1.5, 3.0, 4.0])
def test_edge_scale_finds_the_sigma_of_a_step_in_linear_light(sigma):
    light = step_of(sigma)
    assert scale_space.edge_scale(light, gamma=1)[40, 60] == pytest.approx(sigma, rel=0.2)
    developed = scale_space.edge_scale(light ** np.float32(1 / 2.4))[40, 60]
    assert developed == pytest.approx(scale_space.edge_scale(light, gamma=1)[40, 60], rel=0.02)


def test_a_connected_edge_is_smoothed_towards_the_values_found_at_more_scales():
    known = np.zeros((5, 5), bool)
    known[2, 1:3] = known[0, 4] = True
    votes = np.full((5, 5), 4)
    votes[2, 1] = 9
    lone, more, fewer = scale_space._along_edges(np.array([3.0, 1.0, 2.0]), known, votes, 10)
    assert lone == pytest.approx(3)
    # (10 + 20) a - 20 b = 10 and (5 + 20) b - 20 a = 10
    assert more == pytest.approx(9 / 7)
    assert fewer == pytest.approx(10 / 7)
