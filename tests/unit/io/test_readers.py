"""RAW, HEIC and OpenEXR: read by libraries that are loaded where a file needs them."""

import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from defocus_core.io.errors import ImageError
from defocus_core.io.read import read, read_photograph
from defocus_core.io.write import write

SHAPE = (20, 30)


def dng(path):
    """Write a small RAW photograph, as a camera does, of one colour under an RGGB filter."""
    mosaic = np.zeros((64, 96), np.uint16)
    mosaic[0::2, 0::2], mosaic[0::2, 1::2], mosaic[1::2, 0::2], mosaic[1::2, 1::2] = 20000, 30000, 30000, 15000
    matrix = [n for row in np.eye(3, dtype=int) for value in row for n in (int(value), 1)]
    tags = [
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "A camera", True),
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),
        (50717, "H", 1, 65535, True),
        (271, "s", 0, "Maker", True),
    ]
    tifffile.imwrite(path, mosaic, photometric="cfa", extratags=tags, metadata=None, software=False)


def test_a_raw_photograph_is_developed_by_its_own_white_balance(tmp_path):
    pytest.importorskip("rawpy")
    dng(tmp_path / "a.dng")
    shutil.copy(tmp_path / "a.dng", tmp_path / "named_otherwise.tif")
    found = read(tmp_path / "a.dng")
    assert found.dtype == np.uint16
    assert found.shape == (64, 96, 3)
    assert found[20:40, 20:40].std((0, 1)).max() < 600
    assert np.array_equal(read(tmp_path / "named_otherwise.tif"), found)
    assert read(tmp_path / "a.dng", half_size=True).shape == (32, 48, 3)
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.dng", max_pixels=1000)
    assert caught.value.reason == "huge"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_heic_is_written_and_read(tmp_path, dtype):
    pytest.importorskip("pillow_heif")
    ramp = np.linspace(0, np.iinfo(dtype).max, 64 * 48).reshape(48, 64)
    colour = np.dstack([ramp, ramp[::-1], ramp]).astype(dtype)
    write(tmp_path / "a.heic", colour)
    found = read(tmp_path / "a.heic")
    assert found.dtype == dtype
    assert np.abs(found.astype(float) - colour).max() < 0.03 * np.iinfo(dtype).max
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.heic", max_pixels=100)
    assert caught.value.reason == "huge"


@pytest.mark.parametrize(("suffix", "module"), [("dng", "rawpy"), ("heic", "pillow_heif")])
def test_a_reader_that_is_not_installed_is_named(tmp_path, monkeypatch, suffix, module):
    path = tmp_path / f"a.{suffix}"
    if suffix == "dng":
        dng(path)
    else:
        path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(40))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImageError, match=r"pip install 'defocus-core\["):
        read(path)


def test_light_of_openexr_is_read_as_srgb_and_written_back(tmp_path):
    colour = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    write(tmp_path / "a.exr", colour, alpha=np.ones(SHAPE, np.float32))
    found = read_photograph(tmp_path / "a.exr")
    np.testing.assert_allclose(found.pixels, colour, atol=1e-4)
    assert (found.alpha == 1).all()
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.exr", max_pixels=100)
    assert caught.value.reason == "huge"


def test_of_a_damaged_exr_nothing_is_printed(tmp_path, capfd):
    write(tmp_path / "a.exr", np.random.default_rng(0).random((60, 80, 3), dtype=np.float32))
    (tmp_path / "a.exr").write_bytes((tmp_path / "a.exr").read_bytes()[:2000])
    with pytest.raises(ImageError, match=r"a\.exr: damaged or truncated"):
        read(tmp_path / "a.exr")
    assert capfd.readouterr() == ("", "")


def test_importing_the_readers_loads_none_of_the_optional_ones():
    code = "import sys, defocus_core.io.read, defocus_core.io.write; "
    code += "assert not {'rawpy', 'pillow_heif', 'OpenEXR', 'exiv2', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
