import numpy as np
import pytest

from defocus_core.applications.fusion.stack import fuse
from defocus_core.blur.focus_stacks import Camera, layered_scenes, render_stack
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.evaluation.rendered_stacks import visible_errors

SIZE = 128


@pytest.fixture(scope="module")
def stacks():
    rng = np.random.default_rng(0)
    scenes = layered_scenes(center_squares(SIZE), rng)
    return {name: render_stack(name, scene, Camera(shots=3, sigma_per_disparity=6), rng) for name, scene in scenes}


def test_the_truth_and_a_pixel_of_a_sharp_shot_look_right(stacks):
    stack = stacks["photographs"]
    assert not visible_errors((stack.truth * 255).round().astype(np.uint8), stack).any()
    sharpest = stack.sigmas.argmin(0)
    chosen = np.take_along_axis(np.stack(stack.shots), sharpest[None, :, :, None], 0)[0]
    assert not visible_errors(chosen, stack).any()


def test_the_bluriest_shot_looks_wrong(stacks):
    stack = stacks["photographs"]
    blurriest = stack.sigmas.argmax(0)
    chosen = np.take_along_axis(np.stack(stack.shots), blurriest[None, :, :, None], 0)[0]
    assert visible_errors(chosen, stack).mean() > 0.2


def test_black_bars_stay_those_of_the_sharp_shot(stacks):
    """A blurred bar has a gradient where the sharp shot is flat; that is no detail."""
    stack = stacks["bars"]
    assert visible_errors(fuse(stack.shots).image, stack).mean() < 0.02
