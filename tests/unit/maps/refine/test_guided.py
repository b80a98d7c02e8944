import cv2
import numpy as np
import pytest

from defocus_core.maps.config import MapConfig
from defocus_core.maps.refine.guided import PAPER_GUIDED, GuidedConfig, GuidedFilter, edge_aware_weight
from defocus_core.maps.refine.refinement import LeastSquaresConfig, refine_map


@pytest.fixture
def guide():
    image = np.random.default_rng(0).random((60, 80, 3), dtype=np.float32)
    return cv2.GaussianBlur(image, (0, 0), 2)


@pytest.fixture
def values():
    return np.random.default_rng(1).random((60, 80), dtype=np.float32)


@pytest.mark.parametrize("colour", [False, True])
def test_the_plain_filter_is_opencvs(guide, values, colour):
    guide = guide if colour else guide[:, :, 0].copy()
    mine = GuidedFilter(guide, radius=5, eps=0.01)(values)
    theirs = cv2.ximgproc.guidedFilter(guide, values, 5, 0.01)
    np.testing.assert_allclose(mine[12:-12, 12:-12], theirs[12:-12, 12:-12], atol=2e-5)


def test_hand_worked_three_pixels():
    """Guide 0 1 0, values 0 1 0, window 3 mirrored at the border (-1 -> 0), eps 1/9."""
    guide = np.tile(np.array([0, 1, 0], np.float32), (3, 1))
    got = GuidedFilter(guide, radius=1, eps=1 / 9)(guide)
    slope = (2 / 9) / (2 / 9 + 1 / 9)  # every window holds one 1 in three
    offset = (1 - slope) / 3
    np.testing.assert_allclose(got[1], [offset, slope + offset, offset], atol=1e-6)


def test_edge_aware_weight_by_hand():
    guide = np.zeros((5, 6), np.float32)
    guide[:, 3:] = 1
    weight = edge_aware_weight(guide)
    edge, flat = 2 / 9 + 1e-6, 1e-6
    mean = (20 / flat + 10 / edge) / 30
    assert weight[2, 2] == pytest.approx(edge * mean, rel=1e-3)
    assert weight[2, 0] == pytest.approx(flat * mean, rel=1e-3)


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
    np.testing.assert_allclose(refine_map(values.astype(float), whole, settings), refined, atol=0.05)
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
        lambda: LeastSquaresConfig(subsample=1.5),
    ],
)
def test_settings_without_sense_are_refused(build):
    with pytest.raises(ValueError, match=r"^\w+ is (above|at least|a whole|a finite) .*, not"):
        build()


def plainly(values, guide, *, passes, radius, eps, alpha):
    """The weighted guided filter of Galetto & Deng 2022, written down as it is, with a fixed guide."""

    def around(array):
        return cv2.boxFilter(array, cv2.CV_64F, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REFLECT)

    mean = around(guide)
    variance = around(guide * guide) - mean**2
    weight = 1 / (variance**alpha + 1e-6**alpha)
    gamma = edge_aware_weight(guide.astype(np.float32))
    for _ in range(passes):
        slope = (around(guide * values) - mean * around(values)) / (variance + eps / gamma)
        offset = around(values) - slope * mean
        slope, offset = (around(weight * part) / around(weight) for part in (slope, offset))
        values = slope * guide + offset
    return values


def test_the_published_refinement_is_its_equations_pass_by_pass(guide, values):
    settings = PAPER_GUIDED.changed(
        radius=6,
        iterations=3,
        guide_radius=4,
        guide_iterations=2,
        guide_eps=0.003,
        alpha=1.0,
        guide="grey",
    )
    grey = np.asarray(guide[:, :, 0], np.float64)
    smoothed = grey
    for _ in range(2):
        smoothed = plainly(smoothed, smoothed, passes=1, radius=4, eps=0.003, alpha=1.0)
    expected = plainly(values.astype(np.float64), smoothed, passes=3, radius=6, eps=0.005, alpha=1.0)
    np.testing.assert_allclose(refine_map(values, guide[:, :, 0], settings), expected, atol=2e-3)
