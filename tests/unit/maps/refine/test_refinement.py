import cv2
import numpy as np
import pytest

from defocus_core.maps.config import MapConfig
from defocus_core.maps.refine.guided import PAPER_GUIDED, GuidedConfig
from defocus_core.maps.refine.refinement import LeastSquaresConfig, refine_map


def test_a_constant_map_stays_and_the_range_never_grows(guide, values):
    flat = np.full((60, 80), 3.5, np.float32)
    np.testing.assert_allclose(refine_map(flat, guide), flat, atol=1e-5)
    np.testing.assert_allclose(refine_map(flat, guide, GuidedConfig()), flat, atol=1e-5)
    for settings in (LeastSquaresConfig(), GuidedConfig(), PAPER_GUIDED):
        refined = refine_map(values, guide, settings)
        assert refined.min() >= values.min()
        assert refined.max() <= values.max()


def test_certain_values_reach_the_uncertain_ones_up_to_an_edge():
    image = np.zeros((64, 200, 3), np.float32)
    image[:, 90:] = 0.8
    values = np.where(np.arange(200) < 90, 3.0, 4.0).astype(np.float32)[None].repeat(64, 0)
    certainty = np.full((64, 200), 0.01, np.float32)
    values[:, 40:50], values[:, 150:160] = 1.0, 6.0
    certainty[:, 40:50] = certainty[:, 150:160] = 1.0
    refined = refine_map(values, image, LeastSquaresConfig(min_weight=0.01), certainty=certainty)
    assert refined[:, :80].max() < 1.6
    assert refined[:, 100:].min() > 5.6


def test_a_field_without_evidence_does_not_flow_into_a_faint_object():
    """A faint soft disc on a plain field, of which the network says something else without being sure."""
    distance = np.hypot(*np.mgrid[-100:100, -120:120])
    image = (0.8 - 0.05 / (1 + np.exp((distance - 25) / 3))).astype(np.float32)
    disc = distance < 35
    values = np.where(disc, 4.0, 1.0).astype(np.float32)
    certainty = np.where(disc, 0.3, 0.0).astype(np.float32)
    refined = refine_map(values, image, certainty=certainty)
    assert refined[distance < 25].min() > 3.3
    as_colour = refine_map(values, image[..., None].repeat(3, axis=2), certainty=certainty)
    np.testing.assert_allclose(refined, as_colour, atol=0.01)


def test_a_blocky_map_takes_the_edges_of_the_image():
    image = np.zeros((64, 200, 3), np.float32)
    image[:, 90:] = 0.8
    truth = np.where(np.arange(200) < 90, 1.0, 6.0).astype(np.float32)[None].repeat(64, 0)
    blocky = cv2.blur(truth, (41, 41))
    near = (slice(None), slice(70, 110))
    before = np.abs(blocky - truth)[near].mean()
    for settings, share in (
        (PAPER_GUIDED, 0.7),
        (PAPER_GUIDED.changed(subsample=2), 0.7),
        (GuidedConfig(radius=16), 0.8),  # a single pass
        (LeastSquaresConfig(), 0.8),
    ):
        refined = refine_map(blocky, image, settings)
        assert np.abs(refined - truth)[near].mean() < share * before


def test_subsampled_is_close_to_full(guide):
    values = cv2.GaussianBlur(np.random.default_rng(1).random((60, 80), dtype=np.float32), (0, 0), 6)
    full = refine_map(values, guide, GuidedConfig(radius=16, subsample=1))
    fast = refine_map(values, guide, GuidedConfig(radius=16, subsample=2))
    assert np.abs(full - fast).mean() < 0.02 * np.ptp(full)


def test_a_map_of_another_size_is_refused(guide):
    with pytest.raises(ValueError, match=r"\(3, 3\) does not fit an image of \(60, 80\)"):
        refine_map(np.zeros((3, 3), np.float32), guide)


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match=r"^radius is at least 1, not 0"):
        GuidedConfig(radius=0)
    with pytest.raises(ValueError, match=r"^contrast is above 0(\.0)?, not 0"):
        LeastSquaresConfig(contrast=0)
    with pytest.raises(ValueError, match=r"radius is no known key \(known: method, smoothness"):
        MapConfig(refinement={"radius": 16})
    with pytest.raises(ValueError, match=r"no such method; known: least_squares, guided, not .*'magic'"):
        MapConfig(refinement={"method": "magic"})
    with pytest.raises(ValueError, match="'grey', 'colour', not 'red'"):
        GuidedConfig(guide="red")


@pytest.mark.parametrize("settings", [LeastSquaresConfig(), GuidedConfig(), PAPER_GUIDED])
def test_any_kind_of_image_and_map_gives_a_finite_float32_map(settings):
    values = np.arange(40 * 50).reshape(40, 50) % 7
    image = np.random.default_rng(0).random((40, 50, 3))
    image[3, 4] = np.nan
    refined = refine_map(values, image, settings)
    assert refined.dtype == np.float32
    assert np.isfinite(refined).all()
    whole = (np.nan_to_num(image) * 255).round().astype(np.uint8)
    np.testing.assert_allclose(refine_map(values.astype(float), whole, settings), refined, atol=0.1)
    with pytest.raises(ValueError, match=r"not \(40, 50, 4\)"):
        refine_map(values, np.zeros((40, 50, 4)), settings)


def test_a_certainty_that_does_not_fit_is_refused():
    values = np.zeros((40, 50), np.float32)
    for certainty, said in ((np.ones((1, 50)), "does not fit"), (np.full((40, 50), np.nan), "finite")):
        with pytest.raises(ValueError, match=said):
            refine_map(values, values, certainty=certainty)


@pytest.mark.parametrize(
    "build",
    [
        lambda: GuidedConfig(iterations=0),
        lambda: GuidedConfig(guide_iterations=-1),
        lambda: GuidedConfig(eps=float("nan")),
        lambda: LeastSquaresConfig(smoothness=float("nan")),
        lambda: LeastSquaresConfig(full_pixels=-1),
    ],
)
def test_settings_without_sense_are_refused(build):
    with pytest.raises(ValueError, match=r"^\w+ is (above|at least|a whole|a finite) .*, not"):
        build()


def test_an_edge_between_two_pixels_stays_there_up_to_a_size():
    across = np.arange(200)[None].repeat(160, 0)
    image = np.where(across < 101, np.float32(0.2), np.float32(0.8))
    values = np.where(across < 104, np.float32(0.5), np.float32(4))  # as cells of four pixels have it
    full, half = (refine_map(values, image, LeastSquaresConfig(full_pixels=pixels)) for pixels in (2e6, 0))
    assert full[:, 100].max() < 0.8
    assert full[:, 101].min() > 3.2
    assert half[:, 101].max() < 2
