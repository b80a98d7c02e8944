import numpy as np
import pytest

from defocus_core.applications.fusion.decide import FusionConfig, decision_field, focus_measures, pair_noise
from defocus_core.applications.fusion.vote_network import network_votes, pair_features
from defocus_core.blur.kernels import gaussian_blur

SHAPE = (100, 140)


def shots(shape=SHAPE):
    sharp = gaussian_blur(np.random.default_rng(0).uniform(0, 1, (*shape, 3)).astype(np.float32), 0.7)
    near, far = sharp.copy(), sharp.copy()
    half = shape[1] // 2
    near[:, half:], far[:, :half] = gaussian_blur(sharp, 3)[:, half:], gaussian_blur(sharp, 3)[:, :half]
    return [focus_measures(shot) for shot in (near, far)]


def test_the_network_votes_for_the_sharper_shot_whichever_comes_first():
    near, far = shots()
    noise = pair_noise(near, far)
    votes = network_votes(near, far, noise)
    assert votes.shape == SHAPE
    assert votes.dtype == np.float32
    assert np.abs(votes).max() <= 1
    left = np.arange(SHAPE[1])[None].repeat(SHAPE[0], 0) < SHAPE[1] // 2
    assert ((votes > 0) == left).mean() > 0.95
    assert ((network_votes(far, near, noise) < 0) == left).mean() > 0.95
    assert np.array_equal(votes, network_votes(near, far, noise))


def test_large_shots_are_voted_on_in_a_smaller_copy(monkeypatch):
    near, far = shots((96, 160))
    whole = network_votes(near, far, pair_noise(near, far))
    monkeypatch.setattr("defocus_core.applications.fusion.vote_network.MAX_PIXELS", 5000)
    small = network_votes(near, far, pair_noise(near, far))
    assert small.shape == whole.shape
    assert ((small > 0) == (whole > 0)).mean() > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (33, 32)])
def test_every_shape_has_votes(shape):
    flat = np.full((3, *shape), 0.5, np.float32)
    assert np.isfinite(network_votes(flat, flat, np.float32(0.01))).all()


def test_a_weight_of_0_does_without_the_network(monkeypatch):
    near, far = shots()

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr("defocus_core.applications.fusion.decide.network_votes", refuse)
    assert (decision_field(near, far, config=FusionConfig(network_weight=0)) > 0).any()


def test_features_are_finite_where_there_is_neither_detail_nor_blur():
    nothing = np.zeros((3, 4, 4), np.float32)
    features = pair_features(nothing, nothing, np.float32(1e-4))
    assert features.shape == (8, 4, 4)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
