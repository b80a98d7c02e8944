import numpy as np
import pytest

from defocus_core.io.arrays import check_map_fits, fill_nearest, read_array, shrunken_size
from defocus_core.io.map_files import read_map


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.uint8, bool])
def test_numbers_of_any_kind_are_read_as_float32(tmp_path, dtype):
    values = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    for reader in (read_array, read_map):
        found = reader(tmp_path / "a.npy")
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3, 1)), r"found float64 of shape \(2, 3, 1\)"),
        (np.zeros((2, 3), complex), "found complex128"),
        (np.array([["a"]]), "found <U1"),
    ],
)
def test_what_is_no_plane_of_real_numbers_is_named(tmp_path, values, message):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(ValueError, match=rf"a\.npy: expected an \.npy file of \(height, width\) .*{message}"):
        read_array(tmp_path / "a.npy")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.5])
def test_a_truth_may_lack_numbers_and_a_map_may_not(tmp_path, bad):
    values = np.array([[1, bad]], np.float32)
    np.save(tmp_path / "a.npy", values)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), values)
    with pytest.raises(ValueError, match=r"a\.npy: a defocus map holds finite numbers of pixels from 0 on"):
        read_map(tmp_path / "a.npy")


def test_a_map_has_the_size_of_its_image_whatever_its_channels():
    sigma = np.zeros((2, 3), np.float32)
    check_map_fits(sigma, np.zeros((2, 3)))
    check_map_fits(sigma, np.zeros((2, 3, 3)))
    with pytest.raises(ValueError, match=r"a map of \(2, 3\) does not fit an image of \(3, 2\)"):
        check_map_fits(sigma, np.zeros((3, 2, 3)))
    with pytest.raises(ValueError, match="this one NaN or infinity"):
        check_map_fits(sigma + np.nan, np.zeros((2, 3)))


def test_a_shrunken_size_is_width_and_height_and_one_pixel_at_least():
    assert shrunken_size((300, 500, 3), 2.5) == (200, 120)
    assert shrunken_size((1, 2000), 4) == (500, 1)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_the_unknown_has_the_value_of_what_is_nearest(shape):
    values = np.random.default_rng(0).random(shape, np.float32)
    known = np.zeros((40, 50), bool)
    known[10, 5] = known[10, 45] = True
    filled = fill_nearest(values, known)
    assert np.array_equal(filled[known], values[known])
    assert (filled[:, :24] == values[10, 5]).all()
    assert (filled[:, 27:] == values[10, 45]).all()
    assert fill_nearest(values, np.ones((40, 50), bool)) is values


def test_a_map_without_pixels_is_refused():
    with pytest.raises(ValueError, match=r"at least one pixel, not shape \(0, 3\)"):
        check_map_fits(np.zeros((0, 3)), np.zeros((0, 3, 3)))
