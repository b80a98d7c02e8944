import numpy as np
import pytest
from skimage import data

from defocus_core.applications.score.planes import sharpest_plane
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import as_float

SHARP = as_float(data.astronaut())[:160, 150:310]


def test_the_sharpest_plane_is_found_with_confidence():
    found = sharpest_plane([gaussian_blur(SHARP, sigma) for sigma in (4, 2, 0.5, 3)])
    assert found.sharpest == 2
    assert found.confidence > 0.95
    assert found.sigmas.argsort().tolist() == [2, 1, 3, 0]


def test_planes_that_share_the_frame_have_no_confidence():
    blurred = gaussian_blur(SHARP, 3)
    halves = np.arange(160)[None, :, None] < 80
    found = sharpest_plane([np.where(halves, SHARP, blurred), np.where(halves, blurred, SHARP)])
    assert found.confidence < 0.95


def test_planes_that_tell_nothing_have_no_sharpest():
    found = sharpest_plane([np.zeros((40, 40))] * 2)
    assert found.sharpest is None
    assert found.confidence == 0
    assert np.isnan(found.sigmas).all()


def test_of_planes_alike_each_has_its_share_and_one_without_detail_has_no_sigma():
    found = sharpest_plane([np.full_like(SHARP, 0.5), SHARP, SHARP])
    assert found.sharpest == 1
    assert found.confidence == pytest.approx(0.5)
    assert np.isnan(found.sigmas[0])
    assert found.sigmas[1] == found.sigmas[2] < 1


def test_planes_of_several_sizes_are_refused():
    with pytest.raises(ValueError, match=r"have one size, not \(20, 20\), \(20, 30\)"):
        sharpest_plane([np.zeros((20, 20)), np.zeros((20, 30))])
