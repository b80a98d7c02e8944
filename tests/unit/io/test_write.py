import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.exif import say_once
from defocus_core.io.listing import IMAGE_SUFFIXES
from defocus_core.io.read import read, read_photograph
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


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_full_disk_leaves_no_deep_picture_cut_short(tmp_path, full_disk, suffix):
    noise = np.random.default_rng(0).integers(0, 2**16, (100, 120, 3), dtype=np.uint16)
    with pytest.raises(OSError, match=f"cannot write .*/a{suffix}"):
        write(tmp_path / f"a{suffix}", noise)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_keeps_the_colour_profile(tmp_path, colour, suffix):
    Image.fromarray(colour).save(tmp_path / "in.png", icc_profile=b"profile")
    deep = colour.astype(np.uint16) * 257
    write(tmp_path / f"out.{suffix}", deep, like=tmp_path / "in.png")
    assert np.array_equal(read(tmp_path / f"out.{suffix}"), deep)
    with Image.open(tmp_path / f"out.{suffix}") as out:
        assert out.info["icc_profile"] == b"profile"


@pytest.mark.parametrize("suffix", ["bmp", "exr"])
def test_a_format_without_a_place_for_the_profile_has_the_colours_in_srgb(tmp_path, suffix):
    primaries = (0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1)  # of Adobe RGB, as xyY
    profile = imagecodecs.cms_profile("rgb", whitepoint=(0.3127, 0.329, 1), primaries=primaries, gamma=563 / 256)
    wide = np.full((6, 8, 3), (170, 120, 60), np.uint8)
    Image.fromarray(wide).save(tmp_path / "in.png", icc_profile=profile)
    write(tmp_path / f"a.{suffix}", wide, like=tmp_path / "in.png")
    expected = read_photograph(tmp_path / "in.png").for_measuring().astype(int)
    assert np.abs(expected - wide).max() > 10
    assert np.abs(np.rint(as_float(read(tmp_path / f"a.{suffix}")) * 255) - expected).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_colour_keeps_its_levels_and_channel_order(tmp_path, suffix):
    deep = np.random.default_rng(0).integers(0, 2**16, (9, 7, 3), dtype=np.uint16)
    write(tmp_path / f"a{suffix}", deep)
    assert np.array_equal(read(tmp_path / f"a{suffix}"), deep)


def chunks_of(data):
    """Return kind and content of each chunk of a PNG, whose check sums are right."""
    place, found = 8, []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4])
        kind, content = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        assert zlib.crc32(kind + content) == int.from_bytes(data[place + 8 + size : place + 12 + size])
        found.append((kind, content))
        place += 12 + size
    return found


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_metadata_lie_in_chunks_before_the_pixels_of_a_png(tmp_path, colour, dtype):
    Image.fromarray(colour).save(tmp_path / "in.png", icc_profile=b"profile", dpi=(254, 127))
    deep = to_dtype(as_float(colour), dtype)
    write(tmp_path / "a.png", deep, like=tmp_path / "in.png")
    chunks = chunks_of((tmp_path / "a.png").read_bytes())
    kinds = [kind for kind, _ in chunks]
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    assert max(kinds.index(b"iCCP"), kinds.index(b"pHYs")) < kinds.index(b"IDAT")
    assert kinds.count(b"pHYs") == kinds.count(b"iCCP") == 1
    told = dict(chunks)
    name, _, profile = told[b"iCCP"].partition(b"\0\0")
    assert 1 <= len(name) < 80  # without it, libpng leaves the profile out
    assert zlib.decompress(profile) == b"profile"
    assert struct.unpack(">IIB", told[b"pHYs"]) == (10000, 5000, 1)  # pixels to the metre
    assert np.array_equal(read(tmp_path / "a.png"), deep)


@pytest.mark.parametrize("suffix", ["png", "tif", "TIFF"])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_deep_grey_and_colour_without_metadata_come_back_as_they_were(tmp_path, suffix, shape):
    deep = np.random.default_rng(0).integers(0, 2**16, shape, dtype=np.uint16)
    write(tmp_path / f"a.{suffix}", deep)
    assert np.array_equal(read(tmp_path / f"a.{suffix}"), deep)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_one_channel_is_grey_and_a_fourth_is_alpha(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write(path, np.full((4, 5, 1), 90, np.uint8))
    assert read(path).shape == (4, 5)
    write(path, np.full((4, 5, 4), 90, np.uint8))
    photograph = read_photograph(path)
    assert photograph.pixels.shape == (4, 5, 3)
    assert (photograph.alpha is None) == (suffix == ".jpg")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 5), np.int64), "uint8, uint16 or float in .*, not int64"),
        (np.zeros((4, 5), np.uint32), "not uint32"),
        (np.zeros((4, 5, 2), np.uint8), r"not \(4, 5, 2\)"),
        (np.zeros((0, 5), np.uint8), r"not \(0, 5\)"),
    ],
)
def test_what_is_no_image_is_not_written(tmp_path, image, message):
    for name in ("a.tif", "a.png"):
        with pytest.raises(ValueError, match=message):
            write(tmp_path / name, image)
    assert not list(tmp_path.iterdir())


def test_what_alpha_hides_is_white_where_a_format_has_none(tmp_path, caplog):
    say_once.cache_clear()
    alpha = np.full((16, 16), 255, np.uint8)
    write(tmp_path / "a.jpg", np.zeros((16, 16, 3), np.uint8), alpha=alpha)
    assert read(tmp_path / "a.jpg").max() < 5
    alpha[:, 8:] = 0
    assert not caplog.messages
    write(tmp_path / "a.jpg", np.zeros((16, 16, 3), np.uint8), alpha=alpha)
    assert caplog.messages == [".jpg does not keep alpha; what it hides is white"]
    assert read(tmp_path / "a.jpg")[:, 8:].min() > 250


@pytest.mark.parametrize("suffix", [".png", ".tif", ".exr"])
@pytest.mark.parametrize(("low", "high"), [(0, 255), (-0.5, 1)])
def test_a_float_image_out_of_range_is_refused(tmp_path, suffix, low, high):
    with pytest.raises(ValueError, match=rf"a float image lies in \[0, 1\], this one in \[{low}, {high}\]"):
        write(tmp_path / f"a{suffix}", np.linspace(low, high, 64).reshape(8, 8))
    assert not list(tmp_path.iterdir())
    write(tmp_path / f"a{suffix}", np.array([[-1e-4, 0.5], [np.nan, 1 + 1e-4]]))
