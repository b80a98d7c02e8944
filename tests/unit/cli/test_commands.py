import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from defocus_core.cli.parser import main
from defocus_core.io.read import read
from defocus_core.io.write import write
from defocus_core.maps import pipeline


def test_map_writes_sigma_and_a_picture(folder):
    arguments = ["map", str(folder / "in"), "--out", str(folder / "out"), "--no-refine", "--probability"]
    assert main(arguments) == 0
    sigma = np.load(folder / "out/a.npy", allow_pickle=False)
    assert sigma.shape == (60, 80)
    assert sigma.dtype == np.float32
    assert read(folder / "out/b.png").ndim == 3
    chance = np.load(folder / "out/a.probability.npy", allow_pickle=False)
    assert chance.shape == (60, 80)
    assert 0 <= chance.min() <= chance.max() <= 1


@pytest.mark.parametrize("command", [["enhance"], ["magnify"], ["magnify", "--published"]])
def test_enhance_and_magnify_keep_size_and_depth(folder, command):
    deep = np.random.default_rng(0).integers(0, 2**16, (40, 50, 3), dtype=np.uint16)
    write(folder / "deep.png", deep)
    assert main([*command, str(folder / "deep.png"), "--out", str(folder / "o.png")]) == 0
    result = read(folder / "o.png")
    assert result.shape == deep.shape
    assert result.dtype == np.uint16


@pytest.mark.parametrize("command", ["enhance", "magnify", "fuse"])
def test_applications_keep_what_the_camera_wrote_and_turn_the_picture(folder, command):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.8
    rng = np.random.default_rng(0)
    for name in ("c", "d"):
        picture = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
        picture.save(folder / f"{name}.jpg", exif=exif, icc_profile=b"profile")
    inputs = [str(folder / f"{name}.jpg") for name in ("cd" if command == "fuse" else "c")]
    assert main([command, *inputs, "--out", str(folder / "o.png")]) == 0
    with Image.open(folder / "o.png") as out:
        assert out.size == (60, 80)
        assert out.info["icc_profile"] == b"profile"
        assert out.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert out.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] == 2.8


def test_fuse_writes_an_image_and_its_labels(folder):
    shots = [str(folder / f"in/{name}.png") for name in "ab"]
    assert main(["fuse", *shots, "--out", str(folder / "f.png"), "--labels", str(folder / "l.png")]) == 0
    assert read(folder / "f.png").shape == (60, 80, 3)
    assert set(np.unique(read(folder / "l.png"))) <= {0, 1}
    options = ["--match-exposure", "--seam", "1.5"]
    assert main(["fuse", *shots, "--out", str(folder / "f.tif"), *options]) == 0
    assert read(folder / "f.tif").dtype == np.uint8


def test_a_folder_goes_to_a_folder_by_given_maps(folder):
    np.save(folder / "a.npy", np.zeros((60, 80), np.float32))
    np.save(folder / "b.npy", np.full((60, 80), 2, np.float32))
    arguments = ["magnify", str(folder / "in"), "--out", str(folder / "out"), "--map", str(folder)]
    assert main([*arguments, "--strength", "4", "--in-focus", "0"]) == 0
    before, after = ([read(folder / where / f"{name}.png") for name in "ab"] for where in ("in", "out"))
    assert np.array_equal(before[0], after[0])
    assert after[1].std() < 0.5 * before[1].std()


def test_a_bad_shot_is_left_out_with_one_line_or_refused(tmp_path, capsys):
    rng = np.random.default_rng(0)
    files = [tmp_path / f"{index}.png" for index in range(3)]
    scene = rng.integers(0, 256, (40, 40, 3))
    for file, scale in zip(files, (1, 0.05, 1), strict=True):
        write(file, (scale * np.clip(scene + rng.integers(-9, 9, scene.shape), 0, 255)).astype(np.uint8))
    fused = tmp_path / "fused.png"
    assert main(["fuse", *map(str, files), "--out", str(fused)]) == 0
    told = capsys.readouterr().err.strip().splitlines()
    assert [line.startswith("defocus: shot 2 is left out: it has") for line in told] == [True]
    assert fused.is_file()
    assert main(["fuse", *map(str, files), "--out", str(fused), "--strict"]) == 2
    assert "shot 2: it has" in capsys.readouterr().err


def test_folders_of_shots_are_fused_each(folder):
    for stack in ("one", "two"):
        for name in "ab":
            write(folder / stack / f"{name}.png", read(folder / f"in/{name}.png"))
    stacks = [str(folder / stack) for stack in ("one", "two")]
    where = ["--out", str(folder / "out"), "--labels", str(folder / "labels")]
    assert main(["fuse", *stacks, *where]) == 0
    for stack in ("one", "two"):
        assert read(folder / f"out/{stack}.png").shape == (60, 80, 3)
        assert read(folder / f"labels/{stack}.png").shape == (60, 80)


def test_stacks_in_one_file_each_are_fused_as_each_is(folder):
    rng = np.random.default_rng(0)
    stacks = {"one": np.uint8, "two": np.uint16}
    for name, dtype in stacks.items():
        pictures = rng.integers(0, np.iinfo(dtype).max, (3, 40, 50), dtype=dtype)
        tifffile.imwrite(folder / f"{name}.tif", pictures, photometric="minisblack")
    inputs = [str(folder / f"{name}.tif") for name in stacks]
    where = ["--out", str(folder / "out"), "--labels", str(folder / "labels")]
    assert main(["fuse", *inputs, *where]) == 0
    for name, dtype in stacks.items():
        assert read(folder / f"out/{name}.tif").dtype == dtype
        assert set(np.unique(read(folder / f"labels/{name}.png"))) == {0, 1, 2}


def test_a_format_too_shallow_for_the_shots_is_told_before_any_work(folder, capsys, monkeypatch):
    deep = np.random.default_rng(0).integers(0, 2**16, (40, 50, 3), dtype=np.uint16)
    for name in "ab":
        write(folder / f"{name}.png", deep)
    monkeypatch.setattr(pipeline, "estimate_with_certainty", lambda *_, **__: pytest.fail("worked"))
    shots = [str(folder / f"{name}.png") for name in "ab"]
    for command in (["fuse", *shots], ["fuse", *shots, "--slab", "2"], ["enhance", shots[0]]):
        assert main([*command, "--out", str(folder / "o.jpg")]) == 2
        assert ".jpg holds no 16 bit; write .png or .tif" in capsys.readouterr().err


def test_depth_is_in_metres_where_the_lens_is_known_and_relative_where_not(folder, capsys):
    lens = ["--focal-length", "50", "--f-number", "2", "--focus-distance", "2", "--pixel-pitch", "6"]
    assert main(["depth", str(folder / "in"), "--out", str(folder / "out"), *lens]) == 0
    near, far = (np.load(folder / f"out/b.{name}.npy", allow_pickle=False) for name in ("near", "far"))
    assert near.shape == (60, 80)
    assert ((near <= 2) & (far >= 2)).all()
    assert "b.png: 50 mm at f/2, focused at 2 m, 6 µm a pixel\n" in capsys.readouterr().out
    assert main(["depth", str(folder / "in/a.png"), "--out", str(folder / "out")]) == 0
    assert "focus distance and pixel pitch not known from its EXIF" in capsys.readouterr().out
    assert {path.name for path in folder.glob("out/a.*")} == {"a.relative.npy", "a.relative.png"}
    assert np.load(folder / "out/a.relative.npy", allow_pickle=False).max() == 1
    assert read(folder / "out/a.relative.png").ndim == 3


def test_what_may_be_infinitely_far_has_the_last_colour(folder):
    np.save(folder / "a.npy", np.tile(np.linspace(0, 60, 80, dtype=np.float32), (60, 1)))
    lens = ["--focal-length", "50", "--f-number", "2", "--focus-distance", "2", "--pixel-pitch", "6"]
    where = ["--map", str(folder / "a.npy"), "--out", str(folder / "out")]
    assert main(["depth", str(folder / "in/a.png"), *where, *lens]) == 0
    assert np.isinf(np.load(folder / "out/a.far.npy", allow_pickle=False)).any(1).all()
    shown = read(folder / "out/a.far.png").sum(2, dtype=int)
    near, infinite = shown[len(shown) // 2, [20, 740]]
    assert infinite > 3 * near


def test_what_fails_of_many_is_named(folder, capsys):
    maps = folder / "maps"
    maps.mkdir()
    for name in "ab":
        np.save(maps / f"{name}.npy", np.zeros((3, 3), np.float32))
    pictures = [str(folder / f"in/{name}.png") for name in "ab"]
    assert main(["enhance", *pictures, "--map", str(maps), "--out", str(folder / "out")]) == 2
    said = capsys.readouterr().err
    assert all(f"{picture}: a map of (3, 3) does not fit" in said for picture in pictures)


def test_a_map_that_does_not_fit_is_named_beside_its_photograph(folder, capsys):
    np.save(folder / "m.npy", np.ones((3, 3), np.float32))
    picture = folder / "in/a.png"
    assert main(["enhance", str(picture), "--map", str(folder / "m.npy"), "--out", str(folder / "o.png")]) == 2
    said = capsys.readouterr().err
    assert f"{picture}: a map of (3, 3) does not fit an image of (60, 80): {folder / 'm.npy'}" in said


def test_no_picture_is_written_over_its_map(folder, capsys):
    assert main(["map", str(folder / "in"), "--out", str(folder / "maps"), "--format", "tif"]) == 0
    picture = folder / "a.tif"
    write(picture, read(folder / "in/a.png"))
    before = (folder / "maps/a.tif").read_bytes()
    assert main(["enhance", str(picture), "--map", str(folder / "maps"), "--out", str(folder / "maps")]) == 2
    assert "a.tif would be written over an input" in capsys.readouterr().err
    assert (folder / "maps/a.tif").read_bytes() == before


def test_distances_are_not_written_over_their_map(folder, capsys):
    (folder / "maps").mkdir()
    np.save(folder / "maps/a.relative.npy", np.ones((60, 80), np.float32))
    given = ["--map", str(folder / "maps/a.relative.npy"), "--out", str(folder / "maps")]
    assert main(["depth", str(folder / "in/a.png"), *given]) == 2
    assert "a.relative.npy would be written over an input" in capsys.readouterr().err


def test_models_names_the_default(capsys):
    assert main(["models"]) == 0
    assert "(default)" in capsys.readouterr().out


ODD = {
    "grey": np.arange(60 * 70, dtype=np.uint8).reshape(60, 70),
    "deep": np.arange(60 * 70, dtype=np.uint16).reshape(60, 70) * 15,
    "alpha": np.dstack([np.full((40, 50, 3), 90, np.uint8), np.arange(2000, dtype=np.uint8).reshape(40, 50)]),
    "grey_alpha": np.dstack([np.full((40, 50), 90, np.uint8), np.zeros((40, 50), np.uint8)]),
    "pixel": np.full((1, 1, 3), 200, np.uint8),
    "window_less_one": np.random.default_rng(0).integers(0, 256, (31, 31, 3), dtype=np.uint8),
    "row": np.random.default_rng(0).integers(0, 256, (1, 3000), dtype=np.uint8),
    "column": np.random.default_rng(0).integers(0, 256, (500, 2), dtype=np.uint8),
    "constant": np.full((50, 60, 3), 77, np.uint8),
    "black": np.zeros((50, 60, 3), np.uint8),
    "white": np.full((50, 60), 65535, np.uint16),
}


def write_odd(folder):
    folder.mkdir()
    for name, array in ODD.items():
        if array.dtype == np.uint16:
            write(folder / f"{name}.png", array)
        else:
            Image.fromarray(array).save(folder / f"{name}.png")
    Image.fromarray(ODD["window_less_one"]).quantize(16).save(folder / "palette.png")
    Image.fromarray(ODD["grey"] > 128).save(folder / "bits.png")


@pytest.mark.parametrize("model", ["blurnet", "scenenet"])
def test_odd_images_give_a_finite_map_of_their_size(tmp_path, model):
    write_odd(tmp_path / "in")
    out = tmp_path / "out"
    assert main(["map", str(tmp_path / "in"), "--out", str(out), "--probability", "--model", model]) == 0
    for name, array in ODD.items():
        sigma = np.load(out / f"{name}.npy", allow_pickle=False)
        assert sigma.shape == array.shape[:2], name
        assert sigma.dtype == np.float32
        assert np.isfinite(sigma).all(), name
        assert 0 <= sigma.min() <= sigma.max() <= 25, name
        chance = np.load(out / f"{name}.probability.npy", allow_pickle=False)
        assert ((chance >= 0) & (chance <= 1)).all(), name
        assert read(out / f"{name}.png").ndim == 3
    assert np.load(out / "palette.npy").shape == (31, 31)
    assert np.load(out / "bits.npy").shape == (60, 70)


def test_a_float_file_is_one_line_and_the_others_are_mapped(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in/good.png", ODD["grey"])
    Image.fromarray(np.full((40, 40), np.nan, np.float32)).save(tmp_path / "in/float.tif")
    (tmp_path / "in/cut.png").write_bytes((tmp_path / "in/good.png").read_bytes()[:80])
    (tmp_path / "in/empty.jpg").write_bytes(b"")
    assert main(["map", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("defocus: 3 of 4 images failed: ")
    assert "float.tif: floating-point pixels; save it as 8 or 16 bit" in lines[0]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["good.npy", "good.png"]


@pytest.mark.parametrize("content", [b"", b"\\x89PNG", np.array(["a"]), np.ones((40, 40), complex), {"a": np.ones(3)}])
def test_what_is_no_map_is_said_so(tmp_path, capsys, content):
    write(tmp_path / "ok.png", np.zeros((40, 40, 3), np.uint8))
    if isinstance(content, bytes):
        (tmp_path / "m.npy").write_bytes(content)
    else:
        with open(tmp_path / "m.npy", "wb") as file:
            np.savez(file, **content) if isinstance(content, dict) else np.save(file, content)
    given = [str(tmp_path / "ok.png"), "--out", str(tmp_path / "o.png"), "--map", str(tmp_path / "m.npy")]
    assert main(["enhance", *given]) == 2
    assert "m.npy: not a defocus map, which holds numbers (height, width)" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["enhance", "magnify", "depth"])
def test_one_map_is_not_taken_for_several_photographs(folder, capsys, command):
    given = folder / "a.npy"
    np.save(given, np.ones((60, 80), np.float32))
    assert main([command, str(folder / "in"), "--map", str(given), "--out", str(folder / "o")]) == 2
    assert "photographs; give a folder of maps" in capsys.readouterr().err
    assert not (folder / "o").exists()


def test_a_model_that_is_none_leaves_no_folder(folder, capsys):
    assert main(["map", str(folder / "in"), "--model", "unicorn", "--out", str(folder / "o")]) == 2
    assert "no model 'unicorn'" in capsys.readouterr().err
    assert not (folder / "o").exists()
