import numpy as np
import pytest

from defocus_core.applications.fusion.stack import fuse
from defocus_core.blur.focus_stacks import Camera, layered_scenes, render_stack
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.evaluation.rendered_stacks import nearest_shots, sharpest_shots, visible_errors

SIZE = 128


@pytest.fixture(scope="module")
def stacks():
    rng = np.random.default_rng(0)
    scenes = layered_scenes(center_squares(SIZE), rng)
    return {name: render_stack(name, scene, Camera(shots=3, sigma_per_disparity=6), rng) for name, scene in scenes}


def test_the_truth_and_a_pixel_of_a_sharp_shot_look_right(stacks):
    stack = stacks["photographs"]
    assert not visible_errors((stack.truth * 255).round().astype(np.uint8), stack).any()
    assert not visible_errors(sharpest_shots(stack), stack).any()


def test_no_choice_is_nearer_to_the_truth_than_the_nearest_shot_of_each_pixel(stacks):
    stack = stacks["twigs"]
    errors = [np.square(shot / 255 - stack.truth).sum(2) for shot in [nearest_shots(stack), *stack.shots]]
    np.testing.assert_allclose(errors[0], np.min(errors[1:], 0), atol=1e-6)


def test_the_bluriest_shot_looks_wrong(stacks):
    stack = stacks["photographs"]
    blurriest = stack.sigmas.argmax(0)
    chosen = np.take_along_axis(np.stack(stack.shots), blurriest[None, :, :, None], 0)[0]
    assert visible_errors(chosen, stack).mean() > 0.2


def test_black_bars_stay_those_of_the_sharp_shot(stacks):
    """A blurred bar has a gradient where the sharp shot is flat; that is no detail."""
    stack = stacks["bars"]
    assert visible_errors(fuse(stack.shots).image, stack).mean() < 0.02
