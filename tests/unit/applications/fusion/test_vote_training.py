import numpy as np
import pytest
import torch

from defocus_core.applications.fusion.vote_training import (
    random_camera,
    random_scene,
    stack_costs,
    stack_pairs,
    swapped,
    train_votes,
)
from defocus_core.blur.focus_stacks import Camera, layered_scenes, render_stack
from defocus_core.evaluation.known_scenes import center_squares

PHOTOGRAPHS = center_squares(64)


def test_the_sharpest_shot_costs_least_where_nothing_veils_it():
    rng = np.random.default_rng(0)
    *_, (name, scene) = layered_scenes(PHOTOGRAPHS, rng)
    stack = render_stack(name, scene, Camera(shots=3), rng)
    costs = stack_costs(stack)
    assert costs.shape == stack.sigmas.shape
    assert (costs >= 0).all()
    assert (costs.argmin(0) == stack.sigmas.argmin(0)).mean() > 0.6


def test_a_stack_gives_a_pair_for_every_shot_after_the_first():
    rng = np.random.default_rng(0)
    pairs = [*stack_pairs(random_scene(PHOTOGRAPHS, rng), Camera(shots=3, noise=1.0), rng)]
    assert len(pairs) == 2
    for pair in pairs:
        assert np.array_equal(swapped(pair).gain, -pair.gain)
        assert np.array_equal(swapped(swapped(pair)).features, pair.features)


@pytest.mark.parametrize("seed", range(6))
def test_scenes_and_cameras_are_in_range(seed):
    rng = np.random.default_rng(seed)
    scene, camera = random_scene(PHOTOGRAPHS, rng), random_camera(rng)
    assert scene.image.shape == (64, 64, 3)
    assert scene.image.dtype == scene.disparity.dtype == np.float32
    assert 0 <= scene.image.min() <= scene.image.max() <= 1
    assert 2 <= camera.shots <= 9


def test_training_is_repeatable_and_leaves_the_random_state_alone():
    states, before = [], torch.random.get_rng_state()
    for _ in range(2):
        *_, (network, lost) = train_votes(PHOTOGRAPHS, stacks=2, steps=3)
        states.append(network.state_dict())
    assert 0 <= lost <= 1
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert torch.equal(torch.random.get_rng_state(), before)
