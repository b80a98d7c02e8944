import numpy as np
import pytest
import torch

from defocus_core.applications.score.motion import SOFTENING, MotionNetwork
from defocus_core.applications.score.motion_training import (
    SHARP_SIGMA,
    SIDE,
    Blur,
    draw_blur,
    draw_example,
    train_motion,
)
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.io.color import to_grey

PHOTOGRAPHS = [to_grey(image) for image in center_squares(240)]


@pytest.mark.parametrize("seed", range(12))
def test_examples_are_images_with_a_truth_that_a_network_can_answer(seed):
    example = draw_example(PHOTOGRAPHS, np.random.default_rng(seed))
    assert example.grey.shape == (SIDE, SIDE)
    assert 0 <= example.grey.min() <= example.grey.max() <= 1
    along, across = np.exp(example.truth[:2]) - SOFTENING
    assert along >= across - 1e-6 >= SHARP_SIGMA - 2e-6
    anisotropy = np.hypot(*example.truth[2:])
    assert anisotropy == pytest.approx(1 - (across + SOFTENING) / (along + SOFTENING), abs=1e-5)


def test_blurs_are_of_every_kind():
    rng = np.random.default_rng(0)
    drawn = [draw_blur(rng) for _ in range(300)]
    kinds = {(blur.sigma > 0.4, blur.motion > 0) for blur in drawn}
    assert kinds == {(False, False), (True, False), (False, True), (True, True)}
    assert max(blur.motion for blur in drawn) <= 9


def test_blur_is_round_and_along_a_line():
    point = np.zeros((81, 81), np.float32)
    point[40, 40] = 1
    spread = Blur(sigma=1.5, motion=4, angle=0.0).apply(point)
    y, x = np.mgrid[-40:41, -40:41]
    assert np.sqrt((spread * x**2).sum()) == pytest.approx(np.hypot(1.5, 4), rel=0.03)
    assert np.sqrt((spread * y**2).sum()) == pytest.approx(1.5, rel=0.05)
    assert np.array_equal(Blur().apply(point), point)


def test_a_network_takes_any_size_and_what_does_not_count_does_not():
    torch.manual_seed(0)
    network = MotionNetwork().eval()
    images = torch.randn(2, 1, 61, 90)
    counted = torch.zeros(2, 1, 61, 90)
    counted[:, :, :, :40] = 1
    changed = images.clone()
    changed[:, :, :, 80:] = 3
    with torch.inference_mode():
        found, again = network(images, counted), network(changed, counted)
    assert found.shape == (2, 4)
    torch.testing.assert_close(found, again, atol=1e-3, rtol=1e-3)


def test_training_is_repeatable_and_leaves_the_random_state_alone():
    states, before = [], torch.random.get_rng_state()
    for _ in range(2):
        *_, (network, loss) = train_motion(PHOTOGRAPHS, steps=2)
        states.append(network.state_dict())
    assert 0 < loss < 10
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert torch.equal(torch.random.get_rng_state(), before)
