import numpy as np
import pytest

from defocus_core.cli.parser import main
from defocus_core.io.write import write


def run(*arguments, status=0):
    assert main(["fuse", *map(str, arguments)]) == status


def test_a_dry_run_says_what_would_be_read_and_written_and_does_nothing(stack_folder, capsys):
    run("in", "--out", "f.png", "--depth", "d.npy", "--reference", "middle", "--dry-run")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "in: 4 shots -> f.png, d.npy, d.confidence.npy"
    assert [line.split()[1] for line in said[1:]] == [f"in/{index}.png" for index in range(4)]
    assert said[3].endswith("(reference)")
    run("in", "--out", "new/f.png", "--slab", "2", "--align-only", "aligned", "--dry-run")
    assert "new/f.slab01.png, new/f.slab02.png, aligned/0.png, aligned/1.png" in capsys.readouterr().out
    assert sorted(path.name for path in stack_folder.iterdir()) == ["dark", "in"]


def test_each_nth_shot_is_taken(stack_folder, capsys):
    run("in", "--out", "f.png", "--every", "2", "--dry-run")
    assert "in: 2 shots" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in"], "needs --out FILE_OR_DIR, or --align-only DIR"),
        (["in", "--out", "f.png", "--overlap", "1"], "--overlap goes with --slab"),
        (["in", "--out", "f.png", "--slab", "9"], "a slab has 2 to 4 shots"),
        (["in", "--out", "f.png", "--slab", "0"], "a slab has 2 to 4 shots"),
        (["in", "--out", "f.png", "--slab", "2", "--depth", "d.npy"], "--slab writes pictures alone"),
        (["in", "--out", "f.png", "--reference", "9"], "--reference is a number from 1 to 4"),
        (["in", "--out", "f.png", "--depth", "d.jpg"], "--depth is written as .npy or .tif"),
        (["in", "--out", "f.png", "--nowhere", "f.png"], "change --nowhere"),
        (["in", "--out", "f.png", "--every", "0"], "N from 1, not 0"),
        (["in", "--out", "f.png", "--alignment", "bad.json"], "not an alignment that"),
        (["in", "--out", "f.png", "--use-labels", "l9.png", "--prefer", "front"], "leave out --prefer"),
        (["in", "--out", "f.png", "--use-labels", "in/0.png"], "labels are whole numbers"),
        (["in", "--out", "f.png", "--use-labels", "l9.png"], "labels name shot 10 of a stack of 4"),
        (["in", "--out", "l9.png", "--use-labels", "l9.png"], "l9.png would be written over an input"),
        (["in", "--out", "f.png", "--use-labels", "l9.png", "--alignment", "no.json"], "no alignment 'no.json'"),
        (["in", "--out", "f.png", "--use-labels", "l9.png", "--depth", "d.npy"], "leave out --depth"),
        (["in", "--out", "f.png", "--use-labels", "l9.png", "--register"], "leave out --register"),
        (["in", "--out", "f.png", "--use-labels", "l9.png", "--match-exposure"], "leave out --match-exposure"),
        (["in", "--out", "f.png", "--use-labels", "l9.png", "--strict"], "leave out --strict"),
        (["in", "--out", "f.png", "--use-labels", "l9.png", "--resume"], "leave out --resume"),
        (["in", "--out", "f.png", "--slab", "2", "--resume"], "--slab keeps no state: leave out --resume"),
        (["in", "--align-only", "a", "--seam", "0"], "--seam needs --out"),
        (["in", "--align-only", "a", "--prefer", "back"], "--prefer needs --out"),
        (["in", "--align-only", "a", "--resume"], "--resume needs --out"),
        (["in", "--out", "f.png", "--jobs", "0"], "jobs is at least 1, not 0"),
        (["in", "--align-only", "a", "--slab", "2"], "--slab needs --out"),
        (["in", "--align-only", "a", "--use-labels", "l9.png"], "--use-labels needs --out"),
        (["in", "--align-only", "a", "--labels", "l.png"], "--labels needs --out"),
        (["in", "--out", "d.confidence.tif", "--depth", "d.tif"], "d.confidence.tif would be written over"),
        (["in", "dark", "--align-only", "a"], "in/0.png and dark/0.png would share a/0.png"),
        (["in", "--align-only", "a", "--out", "a/1.png"], "a/1.png would be written over an input or another result"),
        (["in", "dark", "--slab", "2", "--out", "f.png"], "2 results do not fit into one file"),
    ],
)
def test_what_does_not_fit_together_is_one_line(stack_folder, capsys, arguments, message):
    (stack_folder / "bad.json").write_text("{}")
    write(stack_folder / "l9.png", np.full((160, 200), 9, np.uint8))
    run(*arguments, status=2)
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert sorted(path.name for path in stack_folder.iterdir()) == ["bad.json", "dark", "in", "l9.png"]
