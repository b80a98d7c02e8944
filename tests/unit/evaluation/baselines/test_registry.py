from pathlib import Path

import cv2
import numpy as np
import pytest

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation.baselines import hifst, local_binary_patterns, reblur, scale_space
from defocus_core.evaluation.baselines.registry import METHODS
from defocus_core.io.color import to_grey
from defocus_core.io.read import read

CUHK = Path(__file__).parents[4] / "data/cuhk"


@pytest.fixture(scope="module")
def half_blurred():
    grey = np.random.default_rng(0).random((96, 192), dtype=np.float32)
    grey = 0.5 * grey + 0.5 * cv2.resize(grey[::6, ::6], (192, 96), interpolation=cv2.INTER_NEAREST)
    blurred = gaussian_blur(grey, 3)
    return np.concatenate([grey[:, :96], blurred[:, 96:]], 1)


@pytest.mark.parametrize("name", METHODS)
def test_every_measure_is_higher_where_it_is_blurred(half_blurred, name):
    values = METHODS[name](half_blurred)
    assert values.shape == half_blurred.shape
    assert np.isfinite(values).all()
    assert values[:, 112:].mean() > values[:, :80].mean()


@pytest.mark.parametrize("name", METHODS)
def test_every_measure_stands_a_constant_image(name):
    assert np.isfinite(METHODS[name](np.full((40, 50), 0.5, np.float32))).all()


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


def test_hifst_takes_the_least_high_frequencies_of_every_scale():
    gradient = np.random.default_rng(0).random((3, 5), dtype=np.float32)
    got = hifst._layers(gradient, 2)
    assert got.shape == (2, 3, 117)
    padded = np.pad(gradient, 31)
    magnitudes = []
    for side in hifst.SIDES:
        patch = padded[2 + 31 - side // 2 :, 4 + 31 - side // 2 :][:side, :side]
        coefficients = np.abs(dct_by_definition(patch))
        magnitudes += [coefficients[u, v] for u in range(side) for v in range(side) if u + v >= side - 1]
    np.testing.assert_allclose(got[1, 2], np.sort(magnitudes)[:117], atol=1e-5)


def dct_by_definition(patch):
    """The orthonormal DCT-II by its definition."""
    side = len(patch)
    u, x = np.mgrid[:side, :side]
    basis = np.sqrt(2 / side) * np.cos(np.pi * (2 * x + 1) * u / (2 * side))
    basis[0] /= np.sqrt(2)
    return basis @ patch @ basis.T


@pytest.mark.skipif(not CUHK.is_dir(), reason="the CUHK photographs and the authors' maps are not under data/")
def test_hifst_is_the_authors_map():
    grey = to_grey(read(CUHK / "images/out_of_focus0050.jpg"))
    published = to_grey(read(CUHK / "peer_maps/hifst/out_of_focus0050.png"))
    assert np.corrcoef(-hifst.hifst(grey).ravel(), published.ravel())[0, 1] > 0.99


def test_lbp_of_a_flat_image_is_zero_and_of_a_lone_dot_counts_its_neighbours():
    grey = np.zeros((31, 31), np.float32)
    assert local_binary_patterns.lbp(grey)[15, 15] == 0
    grey[15, 15] = -1.0
    values = local_binary_patterns.lbp(grey, window=3)
    assert values[15, 15] == pytest.approx(-1 / 9)
