"""Maps in files that note what they hold."""

import json
import os

import numpy as np
import pytest
import tifffile

from defocus_core.io.map_files import find_map, read_map, write_map

SIGMA = np.random.default_rng(0).random((20, 30), dtype=np.float32) * 5


@pytest.mark.parametrize("suffix", ["npy", "tif", "tiff", "exr", "NPY", "TIF"])
def test_a_map_comes_back_as_it_was(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_map(path, SIGMA, unit="px", pixel_size=0.5, notes={"model": "a model", "software": "this"})
    assert np.array_equal(read_map(path), SIGMA)
    if suffix.islower():
        assert find_map(tmp_path, "a") == path
    with open(path, "rb") as file:
        assert file.read(2) == {"npy": b"\x93N", "exr": b"v/"}.get(suffix.lower(), b"II")


def test_a_tiff_notes_unit_model_and_pixel_size(tmp_path):
    write_map(tmp_path / "a.tif", SIGMA, unit="um", pixel_size=0.5, notes={"model": "a model", "software": "this"})
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        said = json.loads(file.pages[0].description)
        assert (said["unit"], said["model"], said["pixel_size_um"]) == ("um", "a model", "0.5")
        assert file.pages[0].tags["XResolution"].value == (20000, 1)


@pytest.mark.parametrize("suffix", ["tif", "exr"])
def test_a_map_in_another_unit_is_not_taken_for_pixels(tmp_path, suffix):
    write_map(tmp_path / f"a.{suffix}", SIGMA, unit="um", pixel_size=0.5, notes={})
    with pytest.raises(ValueError, match="this map is in um; give the one in pixels"):
        read_map(tmp_path / f"a.{suffix}")


def test_a_float_tiff_of_another_program_is_in_pixels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", SIGMA, description="a map")
    assert np.array_equal(read_map(tmp_path / "a.tif"), SIGMA)


@pytest.mark.parametrize("suffix", ["tif", "exr"])
def test_what_is_no_map_is_said_so(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").write_bytes(b"none")
    with pytest.raises(ValueError, match="not a defocus map"):
        read_map(tmp_path / f"a.{suffix}")


def test_a_map_is_written_as_float32_or_not_at_all(tmp_path):
    write_map(tmp_path / "a.npy", SIGMA.astype(np.float64), unit="px", pixel_size=None, notes={})
    assert np.load(tmp_path / "a.npy").dtype == np.float32
    with pytest.raises(ValueError, match=r"a map is written as \.npy, .*, not as 'a\.jpg'"):
        write_map(tmp_path / "a.jpg", SIGMA, unit="px", pixel_size=None, notes={})


def test_of_maps_in_two_formats_the_newer_one_is_taken(tmp_path):
    for age, suffix in enumerate(("tif", "npy")):
        write_map(tmp_path / f"a.{suffix}", SIGMA, unit="px", pixel_size=None, notes={})
        os.utime(tmp_path / f"a.{suffix}", ns=(10**18 - age, 10**18 - age))
    assert find_map(tmp_path, "a") == tmp_path / "a.tif"
    assert find_map(tmp_path, "b") == tmp_path / "b.npy"
