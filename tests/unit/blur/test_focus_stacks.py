import numpy as np

from defocus_core.blur.focus_stacks import Camera, layered_scenes, render_stack
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
