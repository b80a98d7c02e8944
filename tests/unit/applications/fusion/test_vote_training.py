import numpy as np
import pytest
import torch

from defocus_core.applications.fusion.vote_training import (
    MAX_COST,
    MAX_VEIL_COST,
    WRONG_COST,
    drift,
    random_camera,
    random_scene,
    stack_costs,
    stack_pairs,
    swapped,
    train_votes,
)
from defocus_core.blur.focus_stacks import Camera, RenderedStack, layered_scenes, render_stack
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


def test_a_veil_costs_less_than_blur_where_a_shot_is_in_focus_alone():
    sigmas = np.zeros((2, 8, 9), np.float32)
    sigmas[1] = 3
    truth, far = np.zeros((8, 9, 3), np.float32), np.full((8, 9, 3), 100, np.uint8)
    in_focus = stack_costs(RenderedStack("", [far, far], truth, sigmas))
    assert (in_focus[0] == MAX_VEIL_COST).all()
    assert (in_focus[1] == MAX_COST + WRONG_COST).all()
    nowhere = stack_costs(RenderedStack("", [far, far], truth, sigmas + 1))
    assert (nowhere[0] == MAX_COST).all()


def test_light_drifts_a_little():
    rng, picture = np.random.default_rng(0), np.full((4, 5, 3), 0.5, np.float32)
    drifted = np.stack([drift(picture, rng) for _ in range(200)])
    assert drifted.dtype == np.float32
    assert 0.01 < drifted.mean((1, 2, 3)).std() < 0.03
    assert 0.002 < drifted.std(3).mean() < 0.01


def test_a_training_goes_on_from_a_network():
    *_, (first, _) = train_votes(PHOTOGRAPHS, stacks=2, steps=3)
    before = {name: value.clone() for name, value in first.state_dict().items()}
    *_, (second, _) = train_votes(PHOTOGRAPHS, stacks=2, steps=1, peak_rate=1e-6, start=first)
    assert all(torch.equal(value, before[name]) for name, value in first.state_dict().items())
    assert all(torch.allclose(value, before[name], atol=1e-4) for name, value in second.state_dict().items())
    assert second is not first


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
