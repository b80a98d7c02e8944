import numpy as np

from defocus_core.blur.focus_stacks import NEVER_IN_FOCUS, Camera, layered_scenes, render_stack
from defocus_core.blur.rendering import Scene
from defocus_core.evaluation.known_scenes import center_squares

SIZE = 128


def test_each_kind_of_scene_has_shots_and_a_truth():
    rng = np.random.default_rng(0)
    scenes = layered_scenes(center_squares(SIZE), rng)
    stacks = {name: render_stack(name, scene, Camera(shots=3, sigma_per_disparity=6), rng) for name, scene in scenes}
    assert list(stacks) == ["bars", "print", "silhouette", "twigs", "lights", "photographs"]
    for stack in stacks.values():
        assert [shot.shape for shot in stack.shots] == [(SIZE, SIZE, 3)] * 3
        assert stack.truth.dtype == np.float32
        assert stack.sigmas.shape == (3, SIZE, SIZE)


def test_a_camera_adds_noise_and_codes():
    scene = Scene(np.full((64, 64, 3), 0.5, np.float32), np.zeros((64, 64), np.float32))
    noisy = render_stack("flat", scene, Camera(shots=2, noise=4), np.random.default_rng(1)).shots[0]
    assert 3.5 < noisy.astype(float).std() < 4.5
    coded = render_stack("flat", scene, Camera(shots=2, noise=4, jpeg=30), np.random.default_rng(1)).shots[0]
    assert coded.astype(float).std() < noisy.astype(float).std()


def test_the_truth_of_a_background_that_no_shot_has_in_focus_has_no_veil():
    disparity = np.full((64, 64), NEVER_IN_FOCUS, np.float32)
    disparity[20:40, 20:40] = 1
    front = disparity == 1
    scene = Scene(np.where(front[:, :, None], np.float32(0.9), np.float32(0.1)).repeat(3, 2), disparity)
    stack = render_stack("glow", scene, Camera(shots=3, sigma_per_disparity=6), np.random.default_rng(0))
    np.testing.assert_allclose(stack.truth[~front], 0.1, atol=0.01)
    assert stack.shots[0][15, 30].max() > 0.2 * 255
