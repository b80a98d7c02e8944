import numpy as np
import pytest
from PIL import Image

from defocus_core.io import map_pictures


def picture_of(sigma, folder, **options):
    map_pictures.write_map_picture(sigma, folder / "map.png", **options)
    return np.asarray(Image.open(folder / "map.png")).astype(int)


def test_the_picture_of_a_map_is_darkest_where_sharpest_and_its_bar_rises(tmp_path):
    sigma = np.tile(np.linspace(0, 8, 400, dtype=np.float32), (300, 1))
    shown = picture_of(sigma, tmp_path).sum(2)
    inside = shown[map_pictures.EDGE + 5 : -map_pictures.EDGE - 5, 5 : map_pictures.ACROSS - 5]
    assert (np.diff(inside.mean(0)) >= -1).all()
    bar = shown[:, map_pictures.ACROSS + 25]
    bar = bar[bar < 765]
    assert bar[0] > 600
    assert bar[-1] < 30


def test_the_top_of_the_scale_is_the_callers(tmp_path):
    sigma = np.full((40, 50), 2, np.float32)
    dim, bright = (picture_of(sigma, tmp_path, top=top)[100, 300].sum() for top in (20, 2))
    assert dim < 200
    assert bright > 500


@pytest.mark.parametrize("far", [np.inf, 50.0])
def test_no_far_pixel_darkens_a_picture_of_distances(tmp_path, far):
    distances = np.tile(np.linspace(1, 2, 400, dtype=np.float32), (300, 1))
    distances[:3] = far
    map_pictures.write_distance_picture(distances, tmp_path / "far.png", label="distance (m)")
    shown = np.asarray(Image.open(tmp_path / "far.png")).astype(int).sum(2)
    map_pictures.write_map_picture(np.tile(distances[3], (300, 1)), tmp_path / "near.png", top=2)
    near = np.asarray(Image.open(tmp_path / "near.png")).astype(int).sum(2)
    assert abs(shown[200, 100:700] - near[200, 100:700]).mean() < 10


def test_a_picture_of_infinite_distances_says_so(tmp_path):
    pictures = []
    for distance in (1.0, np.inf):
        distances = np.full((300, 400), distance, np.float32)
        map_pictures.write_distance_picture(distances, tmp_path / "far.png", label="distance (m)")
        pictures.append(np.asarray(Image.open(tmp_path / "far.png")).astype(int))
    labels = [(picture[:, map_pictures.ACROSS + 84 :] < 128).sum() for picture in pictures]
    assert labels[1] > 1.5 * labels[0]


@pytest.mark.parametrize("shape", [(1, 1), (2000, 20), (20, 2000)])
def test_any_map_has_a_picture(tmp_path, shape):
    height, width, channels = picture_of(np.zeros(shape, np.float32), tmp_path).shape
    assert height <= map_pictures.TALLEST + 2 * map_pictures.EDGE
    assert (width, channels) == (map_pictures.ACROSS + 110, 3)
