import json
from contextlib import contextmanager

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from defocus_core.applications.fusion import sequence, stack
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.cli import fuse
from defocus_core.cli.parser import main
from defocus_core.io.color import as_float
from defocus_core.io.read import read, read_photograph
from defocus_core.io.write import write


def run(*arguments, status=0):
    assert main(["fuse", *map(str, arguments)]) == status


def test_all_that_is_written_of_a_stack_has_one_frame(stack_folder):
    run("in", "--register", "--out", "f.png", "--labels", "l.png", "--depth", "d.tif", "--nowhere", "n.png")
    fused = read("f.png")
    assert fused.shape[1] < 200  # cropped, since the shots were moved
    depth, confidence = tifffile.imread("d.tif"), tifffile.imread("d.confidence.tif")
    assert fused.shape[:2] == read("l.png").shape == depth.shape == confidence.shape == read("n.png").shape
    assert 0 <= depth.min() <= depth.max() <= 3.5
    run("in", "--register", "--no-crop", "--out", "whole.png", "--report", "r.html", "--depth", "d.npy")
    assert read("whole.png").shape == (160, 200, 3)
    assert "3.png" in (stack_folder / "r.html").read_text()
    assert np.load("d.confidence.npy").shape == (160, 200)


def test_an_alignment_and_labels_serve_another_lighting(stack_folder):
    run("in", "--register", "--out", "f.png", "--labels", "l.png", "--alignment", "a.json")
    run("dark", "--alignment", "a.json", "--use-labels", "l.png", "--out", "dark.png")
    bright, dark = read("f.png").astype(int), read("dark.png").astype(int)
    assert np.abs(bright // 3 - dark).mean() < 1
    run("dark", "--alignment", "a.json", "--crop", "--out", "again.png")
    assert read("again.png").shape == bright.shape


def test_an_alignment_serves_shots_of_its_size_order_and_reference_alone(stack_folder, capsys):
    run("in", "--register", "--align-only", "aligned", "--reference", "2", "--alignment", "a.json")
    for index in range(4):
        write(stack_folder / f"small/{index}.png", np.ascontiguousarray(read(stack_folder / f"dark/{index}.png")[:100]))
    of_a = ("--alignment", "a.json", "--out", "f.png")
    run("dark", *of_a, "--reference", "1.png", "--dry-run")
    run("dark", *of_a, "--dry-run")
    assert capsys.readouterr().out.count("2 dark/1.png (reference)") == 2
    run("small", *of_a, status=2)
    said = "a.json: the alignment is of shots of 200x160 pixels, and small/1.png has 200x100"
    assert said in capsys.readouterr().err
    for dry in ([], ["--dry-run"]):
        run("dark", *of_a, "--reference", "first", *dry, status=2)
        assert "aligned to shot 2, not to shot 1 as --reference says" in capsys.readouterr().err
        run(*(f"dark/{index}.png" for index in (0, 1, 3, 2)), *of_a, *dry, status=2)
        assert "in another order: its shot 3 is 2.png, not 3.png" in capsys.readouterr().err
    assert not (stack_folder / "f.png").exists()


def test_shots_are_aligned_and_nothing_is_fused(stack_folder):
    run("in", "--register", "--align-only", "aligned", "--reference", "2.png")
    shots = [read(f"aligned/{index}.png") for index in range(4)]
    assert len({shot.shape for shot in shots}) == 1
    low = [gaussian_blur(as_float(shot), 6)[20:-20, 20:-20] for shot in shots]
    assert max(np.abs(low[2] - other).max() for other in low) < 0.05
    run("in", "--register", "--no-crop", "--align-only", "whole")
    assert (read_photograph("whole/3.png").alpha == 0).any()


def test_slices_of_a_channel_are_named_with_their_place(stack_folder):
    stack = np.stack([read(f"in/{index}.png")[..., :2] for index in range(4)]).transpose(0, 3, 1, 2)
    tifffile.imwrite(stack_folder / "cells.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    run("cells.tif", "--channel", "2", "--register", "--align-only", "aligned", "--alignment", "a.json")
    names = [shot["name"] for shot in json.loads((stack_folder / "a.json").read_text())["shots"]]
    assert names == [f"cells.tif, picture {2 * z} (z {z}, channel 2)" for z in range(1, 5)]


@pytest.mark.parametrize("more", [[], ["--slab", "3", "--overlap", "2"]])
def test_shots_are_aligned_once_for_all_that_is_written_of_them(stack_folder, monkeypatch, capsys, more):
    find_motion, calls = sequence.find_motion, []
    monkeypatch.setattr(sequence, "find_motion", lambda *a, **k: calls.append(a) or find_motion(*a, **k))
    (stack_folder / "in/0.png").write_bytes(b"torn")
    run("in", "--reference", "3", "--register", "--out", "f.png", "--align-only", "aligned", *more)
    assert len(calls) == 2
    assert capsys.readouterr().err.count("left out") == 1
    run("in", "--reference", "3", "--register", "--out", "alone.png", *more)
    pictures = list(stack_folder.glob("alone*"))
    assert len(pictures) == (2 if more else 1)
    for alone in pictures:
        np.testing.assert_array_equal(read(alone), read(f"f{alone.name.removeprefix('alone')}"))


def test_what_an_alignment_leaves_out_is_said_once(stack_folder, capsys):
    (stack_folder / "in/1.png").write_bytes(b"torn")
    run("in", "--register", "--out", "f.png", "--alignment", "a.json")
    capsys.readouterr()
    run("dark", "--alignment", "a.json", "--out", "dark.png", "--align-only", "aligned")
    assert capsys.readouterr().err.count("shot 2 is left out: the alignment leaves it out (dark/1.png)") == 1


@pytest.mark.parametrize("more", [["--out", "o.png", "--slab", "2"], ["--align-only", "o"]])
@pytest.mark.parametrize("frame", [[], ["--no-crop"]])
def test_an_alignment_read_from_its_file_gives_what_it_gave_when_it_was_found(stack_folder, more, frame):
    for index in (2, 3):
        write(stack_folder / f"in/{index}.png", as_float(read(f"in/{index}.png")) * np.float32(0.6))
    run("in", "--register", "--alignment", "a.json", *more, *frame)
    found = {path: path.read_bytes() for path in [*stack_folder.glob("o*.png"), *stack_folder.glob("o/*")]}
    assert len(found) in (2, 4)
    run("in", "--register", "--alignment", "a.json", *more, *frame)
    assert {path: path.read_bytes() for path in found} == found
    run("in", "--register", "--alignment", "a.json", *more, *([] if frame else ["--no-crop"]))
    assert all((read(path).shape[1] == 200) != bool(frame) for path in found)


def test_an_alignment_of_shots_that_were_not_registered_registers_none(stack_folder, capsys):
    run("in", "--out", "f.png", "--alignment", "a.json")
    run("in", "--out", "f.png", "--alignment", "a.json")
    run("in", "--out", "f.png", "--alignment", "a.json", "--register", status=2)
    assert "a.json: its shots were not registered" in capsys.readouterr().err


def test_aligned_shots_of_one_file_are_numbered_by_their_place_in_the_stack(stack_folder, capsys):
    tifffile.imwrite(stack_folder / "z.tif", np.zeros((5, 20, 30), np.uint8), photometric="minisblack")
    run("z.tif", "--align-only", "a", "--every", "2", "--dry-run")
    assert "-> a/z.001.tif, a/z.002.tif, a/z.003.tif\n" in capsys.readouterr().out


def test_slabs_are_fused_each(stack_folder):
    run("in", "--out", "o.png", "--slab", "2", "--overlap", "1")
    assert sorted(path.name for path in stack_folder.glob("o*")) == ["o.slab01.png", "o.slab02.png", "o.slab03.png"]
    run("in", "--register", "--out", "slabs", "--slab", "2")
    run("in", "--out", "in/0.png", "--slab", "2", "--dry-run")
    assert read("slabs/in.slab01.png").shape == read("slabs/in.slab02.png").shape


def test_a_killed_command_goes_on_where_it_was(stack_folder, monkeypatch):
    run("in", "--out", "whole.png")
    add, calls = stack.Composite.add, []

    def killed(self, index, *more, **options):
        calls.append(index)
        if calls == [1, 2]:
            raise KeyboardInterrupt
        add(self, index, *more, **options)

    monkeypatch.setattr(stack.Composite, "add", killed)
    run("in", "--out", "f.png", "--resume", status=130)
    assert not (stack_folder / "f.png").exists()
    run("in", "--out", "f.png", "--resume")
    assert calls == [1, 2, 2, 3]
    np.testing.assert_array_equal(read("f.png"), read("whole.png"))
    assert not list(stack_folder.glob(".*"))


def test_an_unreadable_shot_is_left_out_by_name(stack_folder, capsys):
    (stack_folder / "in/1.png").write_bytes(b"torn")
    run(*(f"in/{index}.png" for index in range(4)), "--out", "f.png", "--labels", "l.png")
    told = capsys.readouterr().err
    assert "shot 2 is left out: in/1.png: not an image" in told
    assert told.count("in/1.png") == 1
    assert 1 not in read("l.png")


def test_the_metadata_of_the_reference_are_kept_though_the_first_shot_cannot_be_read(stack_folder):
    (stack_folder / "in/0.png").write_bytes(b"torn")
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "of the reference"
    with Image.open(stack_folder / "in/2.png") as picture:
        picture.save(stack_folder / "in/2.png", exif=exif)
    for more in ([], ["--slab", "3", "--overlap", "2"]):
        run("in", "--reference", "3", "--out", "f.png", *more)
    for name in ("f.png", "f.slab02.png"):
        with Image.open(name) as fused:
            assert fused.getexif()[ExifTags.Base.Artist] == "of the reference"


def test_slabs_of_shots_of_two_sizes_share_one_frame(stack_folder):
    for index in (2, 3):
        write(
            stack_folder / f"in/{index}.png",
            np.ascontiguousarray(read(stack_folder / f"in/{index}.png")[20:-20, 30:-30]),
        )
    run("in", "--out", "o.png", "--slab", "2", "--crop")
    one, two = (read(f"o.slab0{slab}.png") for slab in (1, 2))
    assert one.shape == two.shape == (120, 140, 3)
    far = read("in/2.png").astype(int), read("in/3.png").astype(int)
    assert (np.abs(two - far[0]).max(2) * np.abs(two - far[1]).max(2) == 0).mean() > 0.7


def test_labels_keep_what_shows_nothing_transparent(stack_folder):
    for index in range(4):
        alpha = np.full((160, 200), 255, np.uint8)
        alpha[:30] = 0
        write(stack_folder / f"in/{index}.png", read(stack_folder / f"in/{index}.png"), alpha=alpha)
    run("in", "--out", "f.png", "--labels", "l.png")
    run("in", "--out", "again.png", "--use-labels", "l.png")
    for name in ("f.png", "again.png"):
        alpha = read_photograph(name).alpha
        assert not alpha[:30].any()
        assert (alpha[30:] == 255).all()


def test_a_slab_goes_on_without_a_shot_that_is_left_out(stack_folder, capsys):
    (stack_folder / "in/1.png").write_bytes(b"damaged")
    run("in", "--out", "o.png", "--slab", "2")
    assert "shot 2 is left out" in capsys.readouterr().err
    np.testing.assert_array_equal(read("o.slab01.png"), read("in/0.png"))
    assert read("o.slab02.png").shape == (160, 200, 3)


@pytest.mark.parametrize(
    ("more", "steps"),
    [
        (["--out", "f.png"], 4),
        (["--align-only", "a"], 4),
        (["--align-only", "a", "--out", "f.png"], 8),
        (["--out", "f.png", "--slab", "2"], 6),
    ],
)
def test_the_bar_ends_with_the_last_shot(stack_folder, monkeypatch, more, steps):
    totals, advanced = [], []

    @contextmanager
    def bar(total):
        totals.append(total)
        yield advanced.append

    monkeypatch.setattr(fuse, "_shot_progress", bar)
    run("in", *more)
    assert totals == [sum(advanced)] == [steps]


def test_the_bar_of_a_run_that_goes_on_counts_what_was_done(stack_folder, monkeypatch):
    advanced, add = [], stack.Composite.add

    @contextmanager
    def bar(total):
        assert total == 4
        yield advanced.append

    def killed(self, index, *more, **options):
        if index == 2:
            raise KeyboardInterrupt
        add(self, index, *more, **options)

    with monkeypatch.context() as patched:
        patched.setattr(stack.Composite, "add", killed)
        run("in", "--out", "f.png", "--resume", status=130)
    monkeypatch.setattr(fuse, "_shot_progress", bar)
    run("in", "--out", "f.png", "--resume")
    assert advanced == [3, 1]
