import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import ExifTags, Image
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.cli.parser import main
from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.write import write

SHARP = as_float(data.astronaut())[:320, 100:420]
COLUMNS = ["image", "sharpest_sigma", "x", "y", "in_focus_fraction", "median_sigma_in_focus", "base_sigma", "evidence"]


def blurred(sigma):
    return to_dtype(gaussian_blur(SHARP, sigma), np.uint8)


@pytest.fixture
def shots(tmp_path):
    """A burst of three, a black photograph and a file that is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    for second, (name, sigma) in enumerate({"a": 3, "b": 0, "c": 1.5}.items()):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"2026:06:01 12:00:0{second}"
        Image.fromarray(blurred(sigma)).save(folder / f"{name}.jpg", quality=95, exif=exif)
    Image.fromarray(np.zeros((50, 60), np.uint8)).save(folder / "black.png")
    (folder / "bad.jpg").write_bytes(b"no image")
    return folder


def test_a_folder_is_sorted_with_its_best_and_a_row_for_a_bad_file(shots, tmp_path, capsys):
    before = {path.name: path.read_bytes() for path in shots.iterdir()}
    files = ["--out", str(tmp_path / "s.csv"), "--html", str(tmp_path / "s.html")]
    assert main(["score", str(shots), *files, "--rating"]) == 2
    said = capsys.readouterr()
    assert "bad.jpg: not an image this can read" in said.err
    table = pd.read_csv(tmp_path / "s.csv")
    assert list(table.columns[: len(COLUMNS)]) == COLUMNS
    assert [name.split("/")[-1] for name in table.image] == ["b.jpg", "c.jpg", "a.jpg", "black.png", "bad.jpg"]
    assert table.best_of_burst.tolist() == [True, False, False, False, False]
    assert table.burst[:3].tolist() == [1, 1, 1]
    assert table.burst[3:].isna().all()
    assert table.evidence[3] == 0
    assert np.isnan(table.sharpest_sigma[3])
    assert "not an image" in table.error[4]
    assert said.out.index("b.jpg") < said.out.index("a.jpg") < said.out.index("bad.jpg")
    assert all(f"{value:.2f}" in said.out for value in table.sharpest_sigma[:3])
    assert {path.name: path.read_bytes() for path in shots.iterdir() if path.suffix != ".xmp"} == before
    assert 'Rating="5"' in (shots / "b.jpg.xmp").read_text()
    assert {path.name for path in shots.glob("*.xmp")} == {"a.jpg.xmp", "b.jpg.xmp", "c.jpg.xmp"}
    page = (tmp_path / "s.html").read_text()
    assert page.count("<figure") == 5
    assert page.count("data:image/jpeg;base64,") == 4


def test_json_has_null_where_nothing_is_known(shots, tmp_path):
    assert main(["score", str(shots / "black.png"), "--out", str(tmp_path / "s.json")]) == 0
    (row,) = json.loads((tmp_path / "s.json").read_text())
    assert row["sharpest_sigma"] is None
    assert row["blur"] == "unknown"


def test_a_mask_and_a_box_tell_the_subject(shots, tmp_path):
    half = blurred(0)
    half[:, 140:] = blurred(4)[:, 140:]
    Image.fromarray(half).save(tmp_path / "half.png")
    mask = np.zeros((320, 320), np.uint8)
    mask[:, 150:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    found = []
    for given in ([], ["--mask", str(tmp_path / "mask.png")], ["--box", "150,0,170,320"]):
        assert main(["score", str(tmp_path / "half.png"), *given, "--out", str(tmp_path / "s.csv")]) == 0
        found.append(pd.read_csv(tmp_path / "s.csv").sharpest_sigma[0])
    assert found[0] < 1
    assert found[1] == found[2] > 1.5


def test_a_mask_asks_for_nothing_where_it_is_transparent(shots, tmp_path, capsys):
    half = blurred(0)
    half[:, 140:] = blurred(4)[:, 140:]
    write(tmp_path / "half.png", half)
    white = np.full((320, 320), 255, np.uint8)
    write(tmp_path / "mask.png", white, alpha=np.where(np.arange(320) < 150, 0, white))
    write(tmp_path / "none.png", white, alpha=np.zeros_like(white))
    found = []
    for given in (["--mask", str(tmp_path / "mask.png")], ["--box", "150,0,170,320"]):
        assert main(["score", str(tmp_path / "half.png"), *given, "--out", str(tmp_path / "s.csv")]) == 0
        found.append(pd.read_csv(tmp_path / "s.csv").sharpest_sigma[0])
    assert found[0] == found[1] > 1.5
    assert main(["score", str(tmp_path / "half.png"), "--mask", str(tmp_path / "none.png")]) == 2
    assert "the mask is 0 everywhere" in capsys.readouterr().err


def test_a_subject_where_a_photograph_shows_nothing_is_one_line_and_the_others_are_scored(shots, tmp_path, capsys):
    alpha = np.full((320, 320), 255, np.uint8)
    alpha[:50, :50] = 0
    Image.fromarray(np.dstack([blurred(0), alpha])).save(tmp_path / "alpha.png")
    files = [str(tmp_path / "alpha.png"), str(shots / "b.jpg")]
    assert main(["score", *files, "--box", "5,5,30,30", "--out", str(tmp_path / "s.csv")]) == 2
    assert "alpha.png: the subject lies where the photograph shows nothing" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "s.csv")) == 2


def test_a_mask_is_not_written_over(shots, tmp_path, capsys):
    mask = tmp_path / "s.csv"
    mask.write_bytes((shots / "black.png").read_bytes())
    assert main(["score", str(shots / "black.png"), "--mask", str(mask), "--out", str(mask)]) == 2
    assert "would be written over an input" in capsys.readouterr().err


def test_a_file_has_the_stars_of_its_sharpest_picture(tmp_path):
    tifffile.imwrite(
        tmp_path / "two.ome.tif",
        np.stack([blurred(sigma)[:, :, 0] for sigma in (0, 3)]),
        photometric="minisblack",
        metadata={"axes": "CYX"},
    )
    assert main(["score", str(tmp_path / "two.ome.tif"), "--rating"]) == 0
    assert 'Rating="5"' in (tmp_path / "two.ome.tif.xmp").read_text()


def test_the_sharpest_plane_of_a_stack_is_told_with_its_confidence(tmp_path, capsys):
    planes = np.stack([blurred(sigma)[:, :, 0] for sigma in (3, 0.5, 2)])
    tifffile.imwrite(tmp_path / "z.tif", planes, photometric="minisblack")
    out = ["--out", str(tmp_path / "s.csv")]
    assert main(["score", str(tmp_path / "z.tif"), "--planes", *out]) == 0
    table = pd.read_csv(tmp_path / "s.csv")
    assert table.plane[table.sharpest].tolist() == [2]
    assert table.confidence[1] > 0.95
    assert "sharpest" in capsys.readouterr().out
    assert main(["score", str(tmp_path / "z.tif"), "--planes", "--rating"]) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--out", "s.txt"], "--out is a .csv or .json file, not 's.txt'"),
        (["--box", "1,2,3"], "--box is X,Y,W,H in whole pixels, such as 100,50,400,300, not '1,2,3'"),
        (["--box=-5,0,3,3"], "the corner of --box lies in the photograph, at 0,0 or beyond, not at -5,0"),
        (["--box", "1,2,0,3"], "the width and height of --box are at least 1, not 0 and 3"),
        (["--box", "1,2,3,4", "--mask", "m.png"], "--mask and --box both say where the subject is"),
        (["--box", "900,0,5,5"], "the box 900,0,5,5 lies outside an image of 60x50 pixels"),
        (["--channel", "0"], "no channel 0; it has 1 to 1"),
        (["--out", __file__ + "/s.csv"], "cannot make the folder"),
    ],
)
def test_what_cannot_be_meant_is_one_line(shots, capsys, given, message):
    assert main(["score", str(shots / "black.png"), *given]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_no_photograph_and_no_table_becomes_a_page(shots, tmp_path, capsys):
    photograph = shots / "black.png"
    before = photograph.read_bytes()
    assert main(["score", "--html", str(photograph), str(shots)]) == 2
    assert "--html is an .html file, not" in capsys.readouterr().err
    page = str(tmp_path / "s.html")
    Path(page).write_bytes(before)
    assert main(["score", page, "--html", page]) == 2
    assert "change --html" in capsys.readouterr().err
    assert photograph.read_bytes() == Path(page).read_bytes() == before


def test_a_sidecar_that_is_none_is_named_and_the_others_are_rated(tmp_path, capsys):
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.png", blurred(0))
    (tmp_path / "a.png.xmp").write_text("broken")
    (tmp_path / "b.png.xmp").mkdir()
    assert main(["score", str(tmp_path), "--rating"]) == 2
    said = capsys.readouterr()
    assert "2 of 3 images failed" in said.err
    assert "a.png.xmp: not an XMP sidecar" in said.err
    assert "c.png" in said.out
    assert 'Rating="' in (tmp_path / "c.png.xmp").read_text()


@pytest.mark.parametrize("suffix", ["csv", "json", "html"])
def test_a_name_that_is_not_utf_8_is_written_as_far_as_it_can_be(tmp_path, suffix):
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "a.png", blurred(0))
    (folder / "a.png").rename(os.fsdecode(bytes(folder / "lat") + b"\xe9.png"))
    written = tmp_path / f"s.{suffix}"
    assert main(["score", str(folder), "--html" if suffix == "html" else "--out", str(written)]) == 0
    assert "lat" in written.read_text(encoding="utf-8")
