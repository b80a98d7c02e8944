import numpy as np

from defocus_core.applications.fusion import decide
from defocus_core.applications.fusion.decide import FusionConfig, decision_field
from defocus_core.applications.fusion.stack import fuse


def test_small_regions_stay_as_they_are_decided():
    """Two regions with edges of their own: in one the shots differ much in detail, in the other hardly."""
    grey = np.full((128, 128), 0.3, np.float32)
    detail = np.stack([np.full_like(grey, 0.01), np.full_like(grey, 0.05)])
    twig, speck = np.s_[20:36, 30:34], np.s_[80:96, 90:94]
    grey[twig] = grey[speck] = 0.9
    detail[0][twig], detail[1][twig] = 0.2, 0.02
    detail[0][speck] = 0.06
    expected = np.zeros(grey.shape, bool)
    expected[twig] = expected[speck] = True
    shot, other = (np.stack([grey, d, np.ones_like(grey)]) for d in detail)
    field = decision_field(shot, other, config=FusionConfig(network_weight=0))
    assert np.array_equal(field > 0, expected)


def test_a_vote_of_detail_spreads_up_to_an_edge():
    """Shots that differ in detail in two spots alone: the border between them lies on the step of grey."""
    grey = np.full((60, 80), 0.2, np.float32)
    grey[:, 50:] = 0.8
    detail = np.full((2, 60, 80), 0.001, np.float32)
    detail[0, 20:40, 5:15] = detail[1, 20:40, 60:70] = 0.05
    shot, other = (np.stack([grey, d, np.ones_like(grey)]) for d in detail)
    assert np.array_equal(decision_field(shot, other) > 0, np.arange(80)[None].repeat(60, 0) < 50)


def test_of_equals_the_first_is_kept():
    flat = np.full((64, 80), 0.5, np.float32)
    assert not fuse([flat, flat.copy(), flat + np.float32(1e-6)], model="blurnet").labels.any()


def test_detail_that_a_sharper_edge_of_the_other_shot_explains_does_not_count():
    """An edge at column 30 is soft in one shot and sharp in the other; at column 100 there is texture."""
    soft, sharp = np.full((2, 40, 140), 0.001, np.float32)
    soft[:, 22:39], sharp[:, 29:32], soft[:, 100:110] = 0.02, 0.2, 0.1
    noise, more, less = np.float32(1e-4), np.full((40, 140), 3, np.float32), np.full((40, 140), 0.5, np.float32)
    expected = soft.copy()
    expected[:, 14:47] = 0
    np.testing.assert_allclose(decide._unexplained(soft, sharp, noise, more, 0.02), expected, atol=1e-6)
    np.testing.assert_array_equal(decide._unexplained(soft, sharp, noise, less, 0.02), soft)
    texture = decide._unexplained(sharp, soft, noise, more, 0.02)[:, 29:32]
    np.testing.assert_allclose(texture, sharp[:, 29:32], atol=0.002)


def test_what_neither_shot_has_in_focus_is_kept_whole():
    """A light far out of focus, with more detail in the new shot: it stays with the choice so far."""
    y, x = np.mgrid[:120, :160]
    grey = (0.2 + 0.7 * (np.hypot(y - 60, x - 80) < 30)).astype(np.float32)
    detail = np.where(np.abs(np.hypot(y - 60, x - 80) - 30) < 6, 0.1, 0.001).astype(np.float32)
    taken = {}
    for sigma in (1.0, 7.0):
        shot, other = (np.stack([grey, part, np.full_like(grey, sigma)]) for part in (detail, detail / 2))
        taken[sigma] = decision_field(shot, other) > 0
    assert not taken[7.0].any()
    assert taken[1.0].mean() > 0.1
