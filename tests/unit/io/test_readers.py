"""RAW, HEIC and OpenEXR: read by libraries that are loaded where a file needs them."""

import os
import shutil
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
import tifffile
from rich.console import Console
from rich.progress import Progress

from defocus_core.io import readers
from defocus_core.io.color import linear_to_srgb, srgb_to_linear
from defocus_core.io.errors import ImageError
from defocus_core.io.read import read, read_photograph
from defocus_core.io.write import write

SHAPE = (20, 30)


WHITE = np.array([0.5, 1.0, 0.4])  # what this camera's red, green and blue see of white


def dng(path, light=None, orientation=1):
    """Write a RAW photograph, as a camera does: linear light in sRGB's colours, each pixel behind one of RGGB.

    `light` is (H, W, 3) in [0, 1]; without it a grey card of 30 % is photographed.
    """
    light = np.full((64, 96, 3), 0.3) if light is None else light
    mosaic = np.zeros(light.shape[:2], np.uint16)
    for (row, column), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        seen = light[row::2, column::2, channel] * WHITE[channel]
        mosaic[row::2, column::2] = np.rint(seen * 60000 + 1000)
    # from XYZ to this camera: sRGB's matrix, and what its colour filters let pass
    to_camera = WHITE[:, None] * np.linalg.inv(SRGB_TO_XYZ)
    tags = [
        (271, "s", 0, "Maker", True),
        (274, "H", 1, orientation, True),
        (33421, "H", 2, (2, 2), True),  # CFARepeatPatternDim
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),  # CFAPattern
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),  # DNGVersion
        (50708, "s", 0, "A camera", True),  # UniqueCameraModel
        (50714, "H", 1, 1000, True),  # BlackLevel
        (50717, "H", 1, 61000, True),  # WhiteLevel
        (50721, "2i", 9, [n for value in to_camera.ravel() for n in (round(value * 10000), 10000)], True),
        (50728, "2I", 3, [n for value in WHITE for n in (round(value * 1000), 1000)], True),  # AsShotNeutral
        (50778, "H", 1, 21, True),  # CalibrationIlluminant1: D65
    ]
    tifffile.imwrite(path, mosaic, photometric="cfa", extratags=tags, metadata=None, software=False)


SRGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


@pytest.fixture
def scene():
    """Smooth colours, of which demosaicing loses nothing."""
    rows, columns = np.mgrid[:64, :96]
    return np.dstack([0.1 + 0.5 * rows / 64, 0.2 + 0.4 * columns / 96, 0.5 - 0.4 * rows / 64])


def test_a_raw_photograph_is_developed_by_its_own_white_balance(tmp_path):
    pytest.importorskip("rawpy")
    dng(tmp_path / "a.dng")
    shutil.copy(tmp_path / "a.dng", tmp_path / "named_otherwise.tif")
    found = read(tmp_path / "a.dng")
    assert found.dtype == np.uint16
    assert found.shape == (64, 96, 3)
    np.testing.assert_allclose(found[8:-8, 8:-8] / 65535, linear_to_srgb(np.float32(0.3)), atol=0.01)  # grey is grey
    assert np.array_equal(read(tmp_path / "named_otherwise.tif"), found)
    with pytest.raises(ImageError) as caught:
        read(tmp_path / "a.dng", max_pixels=1000)
    assert caught.value.reason == "huge"


@pytest.mark.parametrize("half_size", [False, True])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_raw_photograph_has_its_colours_and_lies_upright(tmp_path, scene, orientation, half_size):
    pytest.importorskip("rawpy")
    dng(tmp_path / "a.dng", scene, orientation)
    found = read(tmp_path / "a.dng", half_size=half_size) / 65535
    expected = linear_to_srgb(np.rot90(scene, {1: 0, 3: 2, 6: -1, 8: 1}[orientation]))
    expected = expected[::2, ::2] if half_size else expected
    assert found.shape == expected.shape
    np.testing.assert_allclose(found[8:-8, 8:-8], expected[8:-8, 8:-8], atol=0.02)


def test_a_raw_photograph_cut_short_is_no_black_one(tmp_path):
    pytest.importorskip("rawpy")
    dng(tmp_path / "a.dng")
    (tmp_path / "a.dng").write_bytes((tmp_path / "a.dng").read_bytes()[:-5000])
    with pytest.raises(ImageError, match=r"a\.dng: damaged or truncated \(pixels lie beyond the end"):
        read(tmp_path / "a.dng")


def test_what_a_raw_photograph_says_of_its_camera_travels(tmp_path):
    dng(tmp_path / "a.dng", orientation=6)
    write(tmp_path / "b.tif", np.zeros((96, 64, 3), np.uint16), like=tmp_path / "a.dng")
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        tags = file.pages[0].tags
        assert tags["Make"].value == "Maker"
        assert tags.valueof("Orientation", default=1) == 1
        assert not {"CFAPattern", "DNGVersion", "ColorMatrix1"} & {tag.name for tag in tags}


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


def test_threads_that_read_side_by_side_give_the_output_back(tmp_path, capfd):
    for name in "ab":
        write(tmp_path / f"{name}.exr", np.zeros((600, 800, 3), np.float32))

    def read_often(name):
        for _ in range(20):
            read(tmp_path / f"{name}.exr")

    threads = [threading.Thread(target=read_often, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("heard")
    os.write(2, b"too")
    assert capfd.readouterr() == ("heard\n", "too")


def test_what_other_threads_say_meanwhile_is_heard(capfd):
    with readers._quietly():
        other = threading.Thread(target=lambda: (print("heard"), print("too", file=sys.stderr)))
        other.start()
        other.join()
        print("unheard")
        os.write(2, b"unheard")
    assert capfd.readouterr() == ("heard\n", "too\n")


def test_a_name_of_any_bytes_is_said_meanwhile(capfd):
    with readers._quietly(), readers._quietly():
        other = threading.Thread(target=lambda: print("in/\udcff.png", file=sys.stderr))
        other.start()
        other.join()
    assert "in/" in capfd.readouterr().err


def test_a_bar_of_progress_prints_what_another_thread_says_meanwhile(capfd):
    with Progress(console=Console(stderr=True, force_terminal=True)), readers._quietly():
        other = threading.Thread(target=lambda: print("heard"), daemon=True)
        other.start()
        other.join(20)
        assert not other.is_alive()
    assert "heard" in "".join(capfd.readouterr())


@pytest.mark.parametrize("suffix", ["dng", "exr", "heic", "avif", "tif", "png", "jpg", "webp"])
def test_a_file_is_read_whatever_bytes_its_name_has(tmp_path, suffix):
    pytest.importorskip({"dng": "rawpy", "heic": "pillow_heif"}.get(suffix, "PIL"))
    path = tmp_path / os.fsdecode(b"caf\xe9 \xff." + suffix.encode())
    if suffix == "dng":
        dng(path)
    else:
        write(path, np.zeros((64, 96, 3), np.uint8))
    assert read(path).shape == (64, 96, 3)
    write(tmp_path / "out.jpg", np.zeros((64, 96, 3), np.uint8), like=path)


def test_openexr_holds_colours_that_alpha_multiplies(tmp_path):
    colour, alpha = np.full((4, 5, 3), 0.8, np.float32), np.full((4, 5), 0.5, np.float32)
    write(tmp_path / "a.exr", colour, alpha=alpha)
    held = readers.read_exr_channels(tmp_path / "a.exr")["RGBA"]
    np.testing.assert_allclose(held[..., :3], 0.5 * srgb_to_linear(colour), rtol=1e-5)
    back = read_photograph(tmp_path / "a.exr")
    np.testing.assert_allclose(back.pixels, colour, rtol=1e-5)
    np.testing.assert_array_equal(back.alpha, alpha)
