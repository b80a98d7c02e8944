import numpy as np
import pytest

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation.baselines import reblur


def step_of(sigma, shape=(80, 120)):
    step = np.full(shape, 0.1, np.float32)
    step[:, shape[1] // 2 :] = 0.9
    return gaussian_blur(step, sigma)


@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_edge_ratio_finds_the_sigma_of_a_step(sigma):
    assert reblur.edge_ratio(step_of(sigma))[40, 60] == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_the_matting_laplacian_carries_the_sigma_of_a_step_everywhere(sigma):
    np.testing.assert_allclose(reblur.edge_ratio_matting(step_of(sigma)), sigma, rtol=0.15)
