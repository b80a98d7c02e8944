import numpy as np
import pytest

from defocus_core.blur.rendering import Scene, render_defocus
from defocus_core.evaluation.known_scenes import (
    embedded_scenes,
    load_motorcycle,
    motorcycle_distance,
)


def test_motorcycle_has_a_depth_everywhere():
    scene = load_motorcycle()
    assert scene.image.shape == (500, 741, 3)
    assert np.isfinite(scene.disparity).all()


def test_the_embedded_scenes_are_the_same_at_another_strength():
    weak, strong = (list(embedded_scenes(seed=1, size=64, max_sigma=largest)) for largest in (3, 6))
    assert [name for name, *_ in weak] == [name for name, *_ in strong]
    for (_, scene, lens), (_, other, stronger) in zip(weak, strong, strict=True):
        assert np.array_equal(scene.image, other.image)
        assert stronger["sigma_per_disparity"] == pytest.approx(2 * lens["sigma_per_disparity"])
        assert stronger["focus"] == lens["focus"]
    _, sigma = render_defocus(weak[-1][1], **weak[-1][2])
    assert 3 * 3 / 16 <= sigma.max() <= 3 * 3 / 4


def test_the_motorcycle_stands_as_far_away_as_its_calibration_says():
    scene = Scene(np.zeros((1, 2, 3), np.float32), np.array([[60.0, 10.0]], np.float32))
    millimetres = 193.001 * 994.978 / (scene.disparity + 31.086)  # baseline x focal length / (disparity + offset)
    np.testing.assert_allclose(motorcycle_distance(scene), millimetres / 1000, rtol=1e-4)
