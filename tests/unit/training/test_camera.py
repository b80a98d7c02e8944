import numpy as np
import pytest

from defocus_core.training.camera import demosaiced, develop
from defocus_core.training.config import CameraConfig

EDGE = np.repeat(np.array([[0.2, 0.8]], np.float32), 16, axis=1).repeat(32, axis=0)


def test_no_camera_leaves_a_picture_as_it_is():
    assert develop(EDGE, CameraConfig(), np.random.default_rng(0)) is EDGE


def test_a_camera_gives_a_picture_of_the_same_range_that_differs():
    config = CameraConfig(fraction=1.0)
    for seed in range(10):
        taken = develop(EDGE, config, np.random.default_rng(seed))
        assert taken.shape == EDGE.shape
        assert taken.dtype == np.float32
        assert taken.min() >= 0
        assert taken.max() <= 1
        assert 0 < np.abs(taken - EDGE).mean() < 0.1


def test_sharpening_overshoots_at_edges():
    config = CameraConfig(fraction=1.0, noise=0.0, sharpening=3.0)
    peaks = [develop(EDGE, config, np.random.default_rng(seed)).max() for seed in range(10)]
    assert max(peaks) > 0.85


def test_demosaicing_keeps_flat_areas_and_softens_edges():
    mosaic = demosaiced(EDGE)
    assert mosaic[8, 8] == pytest.approx(0.2, abs=2e-3)
    assert mosaic[8, 24] == pytest.approx(0.8, abs=2e-3)
    assert np.abs(np.diff(mosaic[8])).max() < np.abs(np.diff(EDGE[8])).max()
