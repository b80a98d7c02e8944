import cv2
import numpy as np
import pytest

from defocus_core.maps.refine.guided import PAPER_GUIDED, GuidedFilter, edge_aware_weight
from defocus_core.maps.refine.refinement import refine_map


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
