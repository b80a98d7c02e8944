"""What the commands do with a microscope's files, alpha, and the formats of maps."""

import json
import os

import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image

from defocus_core.cli.parser import main
from defocus_core.io.read import read, read_photograph
from defocus_core.io.write import write

NOISE = np.random.default_rng(0).integers(0, 60000, (2, 3, 48, 64), dtype=np.uint16)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metadata = {"axes": "TCYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite("cells.tif", NOISE, ome=True, metadata=metadata)
    tifffile.imwrite("slices.tif", NOISE, imagej=True, metadata={"axes": "ZCYX"})
    return tmp_path


def test_times_and_channels_are_mapped_one_by_one_in_micrometres_too(place):
    assert main(["map", "cells.tif", "--out", "o", "--no-refine", "--unit", "um", "--format", "tif"]) == 0
    names = {
        f"cells.t{time}.c{channel}{end}" for time in (1, 2) for channel in (1, 2, 3) for end in (".tif", ".um.tif")
    }
    assert {path for path in os.listdir("o") if path.endswith(".tif")} == names
    with tifffile.TiffFile("o/cells.t2.c3.um.tif") as file:
        said = json.loads(file.pages[0].description)
        assert said["unit"] == "um"
        assert said["model"] == "scenenet"
        assert said["software"].startswith("defocus-core ")
        np.testing.assert_allclose(file.asarray(), tifffile.imread("o/cells.t2.c3.tif") / 2, rtol=1e-6)


def test_one_channel_and_time_are_chosen(place):
    options = ["--no-refine", "--channel", "2", "--time", "1", "--format", "exr"]
    assert main(["map", "cells.tif", "--out", "o", *options]) == 0
    assert sorted(os.listdir("o")) == ["cells.t1.c2.exr", "cells.t1.c2.png"]
    with OpenEXR.File("o/cells.t1.c2.exr") as file:
        assert file.header()["unit"] == "px"
        assert file.channels()["Y"].pixels.shape == (48, 64)


@pytest.mark.parametrize("suffix", ["npy", "tif", "exr"])
def test_a_map_of_every_format_is_taken_by_the_applications(place, suffix):
    write("a.png", NOISE[0, 0])
    assert main(["map", "a.png", "--out", "m", "--no-refine", "--format", suffix]) == 0
    assert main(["enhance", "a.png", "--map", "m", "--out", "b.png"]) == 0
    assert main(["enhance", "a.png", "--map", f"m/a.{suffix}", "--out", "c.png"]) == 0
    assert np.array_equal(read("b.png"), read("c.png"))


def test_the_slices_of_each_channel_are_fused(place):
    assert main(["fuse", "slices.tif", "--out", "o"]) == 0
    assert sorted(os.listdir("o")) == ["slices.c1.tif", "slices.c2.tif", "slices.c3.tif"]
    assert main(["fuse", "slices.tif", "--channel", "2", "--out", "two.tif"]) == 0
    assert np.array_equal(read("two.tif"), read("o/slices.c2.tif"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["map", "slices.tif", "--out", "o"], "6 pictures in one file"),
        (["map", "slices.tif", "--out", "o", "--z", "3"], "no z 3; it has 1 to 2"),
        (["map", "a.png", "--out", "o", "--unit", "um"], "pixel size is not known"),
        (["map", "bad.dng", "--out", "o"], "bad.dng"),
        (["map", "bad.exr", "--out", "o"], "bad.exr"),
        (["enhance", "a.png", "--map", "bad.tif", "--out", "o.png"], "not a defocus map"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_two(place, capfd, arguments, message):
    write("a.png", NOISE[0, 0])
    for name in ("bad.dng", "bad.exr", "bad.tif"):
        (place / name).write_bytes(b"\x76\x2f\x31\x01" + bytes(40) if name == "bad.exr" else b"II*\0" + bytes(40))
    assert main(arguments) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def frames(place):
    """Write two shots as a registration leaves them: a frame of alpha 0, of another side each."""
    for name, side in (("one", np.s_[:, :9]), ("two", np.s_[:7])):
        pixels = np.random.default_rng(0).integers(100, 200, (64, 80, 3), dtype=np.uint8)
        alpha = np.full((64, 80), 255, np.uint8)
        pixels[side], alpha[side] = 0, 0
        tifffile.imwrite(
            place / f"{name}.tif", np.dstack([pixels, alpha]), photometric="rgb", extrasamples=["unassalpha"]
        )
    return ["one.tif", "two.tif"]


@pytest.mark.parametrize("more", [[], ["--seam", "2"]])
def test_nothing_is_taken_from_where_alpha_is_0(place, more):
    assert main(["fuse", *frames(place), "--out", "o.tif", *more]) == 0
    fused = read_photograph("o.tif")
    assert (fused.alpha == 0).sum() == 7 * 9
    assert (fused.pixels[fused.alpha > 0] >= 100).all()


def test_alpha_survives_enhancement_and_makes_no_edge(place):
    frames(place)
    assert main(["enhance", "one.tif", "--out", "o.tif"]) == 0
    before, after = read_photograph("one.tif"), read_photograph("o.tif")
    assert np.array_equal(before.alpha, after.alpha)
    assert (after.pixels[:, :9] == 0).all()
    assert main(["map", "one.tif", "--out", "o", "--probability"]) == 0
    chance = np.load("o/one.probability.npy")
    assert (chance[:, :9] == 0).all()
    assert chance[:, 9:].max() > 0


def test_light_of_openexr_stays_floating_point(place):
    write("a.exr", NOISE[0, 0] / np.float32(65535))
    assert main(["enhance", "a.exr", "--out", "b.exr"]) == 0
    assert read("b.exr").dtype == np.float32
    tags = [(340, "f", 1, 0.0, True), (341, "f", 1, 65535.0, True)]
    tifffile.imwrite("a.tif", NOISE[0, 0].astype(np.float32), extratags=tags)
    assert main(["enhance", "a.tif", "--gain", "0", "--out", "b.tif"]) == 0
    np.testing.assert_allclose(read("b.tif"), read("a.tif"), atol=1e-5)
    assert tifffile.imread("b.tif").dtype == np.float32
    Image.fromarray(NOISE[0, 0].astype(np.uint8)).save("a.webp", lossless=True)
    assert main(["enhance", "a.webp", "--gain", "0", "--out", "b.webp"]) == 0
    assert np.array_equal(read("a.webp"), read("b.webp"))
