import numpy as np
import pytest

from defocus_core.blur.rendering import Scene, render_defocus
from defocus_core.evaluation import known_scenes
from defocus_core.evaluation.benchmark_sets import pair_images
from defocus_core.evaluation.known_scenes import (
    center_squares,
    composite_scene,
    embedded_scenes,
    load_motorcycle,
    motorcycle_distance,
)
from defocus_core.io.read import read
from defocus_core.io.write import write


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


def test_a_composite_takes_the_nearer_from_one_photograph_and_the_rest_from_the_other():
    front, back = np.full((64, 96, 3), 0.9, np.float32), np.full((64, 96, 3), 0.1, np.float32)
    scene = composite_scene(front, back, np.random.default_rng(0))
    assert set(np.unique(scene.disparity)) == {0, 1}
    np.testing.assert_array_equal(scene.image, np.where(scene.disparity[:, :, None] == 1, front, back))
    assert scene.disparity.mean() == pytest.approx(0.4, abs=0.02)
    again = composite_scene(front, back, np.random.default_rng(0))
    assert np.array_equal(again.disparity, scene.disparity)


@pytest.mark.parametrize("size", [10, 40])  # smaller and larger than the photographs
def test_the_middle_square_of_every_photograph_of_a_folder_is_taken(tmp_path, size):
    image = np.full((20, 60, 3), 10, np.uint8)
    image[:, 20:40] = 200
    for name in ("2.png", "10.png"):
        write(tmp_path / name, image)
    write(tmp_path / "3.png", np.moveaxis(image, 0, 1).copy() // 2)
    squares = center_squares(size, tmp_path)
    assert [square.shape for square in squares] == [(size, size, 3)] * 3
    for square, level in zip(squares, (200, 100, 200), strict=True):  # 2, 3, 10
        np.testing.assert_allclose(square, level / 255, atol=1e-6)


def test_a_set_on_disk_has_a_truth_beside_every_photograph(tmp_path, monkeypatch):
    scene = Scene(np.full((40, 50, 3), 0.5, np.float32), np.tile(np.float32([0, 1]), (40, 25)))
    lens = {"focus": 1.0, "sigma_per_disparity": 3.0, "layers": 2}
    monkeypatch.setattr(known_scenes, "embedded_scenes", lambda **_: iter([("a", scene, lens), ("b", scene, lens)]))
    known_scenes.write_embedded_set(tmp_path / "set", seed=0, size=64)
    pairs = pair_images(tmp_path / "set/images", tmp_path / "set/sigma")
    assert [pair.name for pair in pairs] == ["a", "b"]
    assert read(pairs[0].image).shape == (40, 50, 3)
    np.testing.assert_array_equal(np.load(pairs[0].truth), 3 * (1 - scene.disparity))
