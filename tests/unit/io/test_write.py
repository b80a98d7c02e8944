import numpy as np
import pytest

from defocus_core.io.listing import IMAGE_SUFFIXES
from defocus_core.io.read import read
from defocus_core.io.write import write


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_a_full_disk_leaves_no_picture_cut_short(tmp_path, full_disk, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    path = tmp_path / f"a{suffix}"
    with pytest.raises(OSError, match=f"cannot write {path}"):
        write(path, noise)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_lossless_formats_come_back_as_they_were(tmp_path, colour, suffix):
    write(tmp_path / f"a{suffix}", colour)
    assert np.array_equal(read(tmp_path / f"a{suffix}"), colour)


def test_jpeg_keeps_the_colour_of_every_pixel(tmp_path):
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2, 0], stripes[:, 1::2, 2] = 200, 200
    write(tmp_path / "a.jpg", stripes)
    assert np.abs(read(tmp_path / "a.jpg").astype(int) - stripes).max() < 40
