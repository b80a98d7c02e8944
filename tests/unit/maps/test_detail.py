import numpy as np
import pytest

from defocus_core.maps import detail
from defocus_core.maps.detail import detail_evidence, has_detail, noise_variance


@pytest.mark.parametrize("deviation", [0.01, 0.05])
def test_the_noise_of_a_plain_field_is_measured_and_is_no_detail(deviation):
    noise = np.random.default_rng(0).normal(0.5, deviation, (200, 200)).astype(np.float32)
    assert noise_variance(noise) == pytest.approx(deviation**2, rel=0.15)
    assert not has_detail(noise).any()


def test_an_edge_is_detail_in_noise_too():
    image = np.random.default_rng(0).normal(0.3, 0.03, (100, 100)).astype(np.float32)
    image[:, 50:] += 0.3
    found = has_detail(image)
    assert found[:, 47:53].all()
    assert not found[:, :30].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_small_and_constant_images_have_none(shape):
    assert not has_detail(np.full(shape, 0.5, np.float32)).any()


def test_the_steps_of_a_smooth_slope_give_no_speckles():
    """A wall in uneven light, in 8 bits: bands of one grey level, 24 pixels wide."""
    slope = np.rint(np.linspace(200, 220, 480)).astype(np.float32) / 255
    wall = np.tile(slope, (120, 1))
    assert np.ptp(has_detail(wall)[60, 100:380].astype(int)) == 1
    assert np.ptp(detail_evidence(wall)[60, 100:380]) < 0.25


def test_evidence_grows_with_detail():
    stripes = np.tile(np.sin(np.arange(200) / 2, dtype=np.float32), (60, 1))
    shares = [detail_evidence(0.5 + contrast * stripes)[30, 50:150].mean() for contrast in (0.001, 0.003, 0.1)]
    assert shares[0] == 0
    assert 0 < shares[1] < 1
    assert shares[2] == 1


def test_strips_leave_no_seam(monkeypatch):
    image = np.random.default_rng(0).normal(0.5, 0.02, (600, 90)).astype(np.float32)
    image[200:400] += np.linspace(0, 0.3, 90, dtype=np.float32) * (np.arange(90) % 20 > 9)
    by_strips = detail_evidence(image)
    monkeypatch.setattr(detail, "strips", lambda height: [slice(0, height)])
    np.testing.assert_allclose(by_strips, detail_evidence(image), atol=1e-5)
    assert by_strips.max() > 0.2


def test_the_noise_of_a_large_image_is_told_by_some_of_its_rows(monkeypatch):
    noise = np.random.default_rng(0).normal(0.5, 0.03, (640, 320)).astype(np.float32)
    monkeypatch.setattr(detail, "MAX_NOISE_PIXELS", noise.size / 4)
    assert noise_variance(noise) == pytest.approx(0.03**2, rel=0.1)
