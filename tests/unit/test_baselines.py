import cv2
import numpy as np
import pytest

from defocus_core import baselines, blur


@pytest.fixture(scope="module")
def half_blurred():
    grey = np.random.default_rng(0).random((96, 192), dtype=np.float32)
    grey = 0.5 * grey + 0.5 * cv2.resize(grey[::6, ::6], (192, 96), interpolation=cv2.INTER_NEAREST)
    blurred = blur.blur(grey, 3)
    return np.concatenate([grey[:, :96], blurred[:, 96:]], 1)


@pytest.mark.parametrize("name", baselines.METHODS)
def test_every_measure_is_higher_where_it_is_blurred(half_blurred, name):
    values = baselines.METHODS[name](half_blurred)
    assert values.shape == half_blurred.shape
    assert np.isfinite(values).all()
    assert values[:, 112:].mean() > values[:, :80].mean()


@pytest.mark.parametrize("name", baselines.METHODS)
def test_every_measure_stands_a_constant_image(name):
    assert np.isfinite(baselines.METHODS[name](np.full((40, 50), 0.5, np.float32))).all()


@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_edge_ratio_finds_the_sigma_of_a_step(sigma):
    step = np.zeros((80, 120), np.float32)
    step[:, 60:] = 1
    values = baselines.edge_ratio(blur.blur(step, sigma))
    assert values[40, 60] == pytest.approx(sigma, rel=0.15)


def test_lbp_of_a_flat_image_is_zero_and_of_a_lone_dot_counts_its_neighbours():
    grey = np.zeros((31, 31), np.float32)
    assert baselines.lbp(grey)[15, 15] == 0
    grey[15, 15] = -1.0
    values = baselines.lbp(grey, window=3)
    assert values[15, 15] == pytest.approx(-1 / 9)
