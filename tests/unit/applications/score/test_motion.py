import cv2
import numpy as np
import pytest
from skimage import data

from defocus_core.applications.score.motion import ROUND, directional_blur
from defocus_core.blur.kernels import motion_blur
from defocus_core.io.color import to_grey

ASTRONAUT = to_grey(data.astronaut())[:400, :400]


def found(image):
    return directional_blur(image, np.ones(image.shape, bool))


@pytest.mark.parametrize("clockwise", [0, 40, 90, 135])
def test_motion_is_told_with_its_angle(clockwise):
    motion = found(motion_blur(ASTRONAUT, 4, np.radians(clockwise)))
    assert 3 < motion.sigma < 6
    off = (motion.angle + clockwise + 90) % 180 - 90  # angles count counter-clockwise
    assert abs(off) < 15


@pytest.mark.parametrize(("degrees", "directional"), [((20, 20, 20, 20), True), ((0, 20, 40, 60), False)])
def test_what_each_quarter_has_in_a_direction_of_its_own_is_no_motion(degrees, directional):
    """As hair has; together, they look like one direction."""
    gravel = to_grey(data.gravel())[:400, :400]
    image = np.empty_like(gravel)
    for index, angle in enumerate(degrees):
        top, left = divmod(index, 2)
        quarter = (slice(200 * top, 200 * top + 200), slice(200 * left, 200 * left + 200))
        image[quarter] = motion_blur(gravel, 3, np.radians(angle))[quarter]
    assert (found(image).sigma > 2) == directional


def test_longer_motion_has_a_larger_sigma():
    sigmas = [found(motion_blur(ASTRONAUT, sigma, 0.5)).sigma for sigma in (1, 2, 4, 8)]
    assert sigmas == sorted(sigmas)
    assert sigmas[-1] > 5


@pytest.mark.parametrize("sigma", [0, 1, 3])
def test_round_blur_is_not_directional(sigma):
    image = cv2.GaussianBlur(ASTRONAUT, (0, 0), sigma) if sigma else ASTRONAUT
    assert found(image) == ROUND


def stripes():
    return np.tile((np.sin(np.arange(300) / 5) > 0) * np.float32(0.6) + np.float32(0.2), (300, 1))


def turned_stripes():
    y, x = np.mgrid[:300, :300] / 2
    return np.float32(0.5) + np.float32(0.3) * np.sin(x + y / 2, dtype=np.float32)


def facade():
    """Upright windows in a wall, sharp; most edges are upright."""
    image = np.full((300, 300), 0.7, np.float32)
    for left in range(5, 300, 45):
        for top in range(10, 300, 60):
            image[top : top + 45, left : left + 20] = 0.2
    return image


@pytest.mark.parametrize("noise", [0, 0.01])
@pytest.mark.parametrize("scene", [stripes, turned_stripes, facade, lambda: facade().T])
def test_stripes_and_a_facade_are_not_motion(scene, noise):
    image = scene() + np.random.default_rng(0).normal(0, noise, (300, 300)).astype(np.float32)
    assert found(image) == ROUND


def test_a_facade_in_motion_is():
    motion = found(motion_blur(facade(), 3, 0.0))
    assert motion.sigma > 1.5


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 400), (40, 40), (200, 200)])
def test_constant_images_tell_nothing(shape):
    assert found(np.full(shape, 0.5, np.float32)) == ROUND


def test_images_smaller_than_those_of_the_training_tell_nothing():
    blurred = motion_blur(ASTRONAUT, 4, 0.5)
    assert found(blurred[:127, :300]) == ROUND
    assert found(blurred[100:228, 60:360]) != ROUND


def test_where_nothing_counts_nothing_is_told():
    assert directional_blur(motion_blur(ASTRONAUT, 4, 0.5), np.zeros(ASTRONAUT.shape, bool)) == ROUND


def test_what_has_no_weight_does_not_count():
    image = np.concatenate([ASTRONAUT[:, :200], motion_blur(ASTRONAUT[:, 200:], 4, 0.0)], 1)
    left = np.zeros(image.shape, bool)
    left[:, :160] = True
    assert directional_blur(image, left) == ROUND
    assert directional_blur(image, left[:, ::-1].copy()).sigma > 2
