import cv2
import numpy as np
import pytest

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation.baselines.registry import METHODS


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
