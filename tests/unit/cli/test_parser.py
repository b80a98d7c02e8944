import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from defocus_core.cli.parser import main
from defocus_core.io.write import write
from defocus_core.maps import pipeline


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["map", "none.png", "--out", "o"], "no image file 'none.png'"),
        (["map", ".", "--out", "o"], "no images in ."),
        (["map", "text.png", "--out", "o"], "not an image"),
        (["map", "ok.png", "--out", "o", "--step", "64"], "step is 1 to 32"),
        (["map", "ok.png", "--out", "o", "--jobs", "0"], "jobs is at least 1"),
        (["map", "ok.png", "--out", "o", "--model", "blurnett"], "did you mean 'blurnet'"),
        (["fuse", "ok.png", "--out", "f.png"], "2 to 65535 shots"),
        (["fuse", "ok.png", "small.png", "--out", "f.png"], "differ in shape"),
        (["fuse", "ok.png", "ok.png", "--out", "f.png", "--register"], "could not be registered"),
        (["fuse", "ok.png", "ok.png", "--out", "f.png", "--seam", "-1"], "seam is 0 to 100 pixels, not -1"),
        (["enhance", "ok.png", "--out", "o.xyz"], "no format"),
        (["enhance", "ok.png", "--out", "o.png", "--gain", "-1"], "gain is at least 0"),
        (["enhance", "ok.png", "--out", "ok.png"], "ok.png would be written over an input"),
        (["enhance", "ok.png", "small.png", "--out", "o.png"], "2 results do not fit into one file 'o.png'"),
        (["enhance", "ok.png", "--out", "o.png", "--map", "map.npy"], "a map of (3, 3) does not fit"),
        (["enhance", "ok.png", "--out", "o.png", "--map", "none.npy"], "no map 'none.npy'"),
        (["depth", "ok.png", "--out", "o", "--map", "minus.npy"], "finite numbers of pixels from 0 on"),
        (["magnify", "ok.png", "--out", "o.png", "--strength", "0.5"], "1 to 20 times as wide, not 0.5"),
        (["fuse", ".", "ok.png", "--out", "f.png"], "not both at once"),
        (["fuse", "ok.png", "small.png", "--out", "small.png"], "would be written over an input"),
        (["fuse", ".", "--out", "f.png"], "differ in shape"),
        (["depth", "ok.png", "--out", "o", "--f-number", "-2"], "focal length and focus distance and pixel"),
        (["magnify", "ok.png", "--out", "o.png", "--published", "--in-focus", "8"], "in_focus < out"),
        (["magnify", "ok.png", "--out", "o.png", "--published", "--strength", "2"], "has no --strength"),
        (["magnify", "ok.png", "--out", "o.png", "--out-of-focus", "2"], "goes with --published"),
        (["enhance", "ok.png", "--out", "o.png", "--gain", "nan"], "gain is at least 0"),
        (["enhance", "ok.png", "--out", "map.npy/o"], "cannot make the folder 'map.npy/o'"),
        (["map", "ok.png", "--out", "small.png"], "cannot make the folder 'small.png'"),
        (["map", "ok.png", "ok.png", "--out", "o"], "ok.png is given twice"),
        (["map", "ok.png", "--out", "."], "ok.png is there already, beside ok.png"),
        (["map", "small.jpg", "--out", "."], "small.png is there already, beside small.jpg"),
        (["fuse", "ok.png", "ok.png", "small.png", "--out", "f.png"], "shot 3 (39, 40) (small.png)"),
        (["fuse", "ok.png", "ok.png", "--out", "f.png", "--labels", "f.png"], "change --labels"),
        (["fuse", "ok.png", "ok.png", "--out", "f.png", "--labels", "l.jpg"], "written as .png, not '.jpg'"),
        (["fuse", "empty", "--out", "f.png"], "no pictures in 'empty'"),
        (["fuse", "missing", "--out", "f.png"], "no file or folder 'missing'"),
        (["fuse", "ok.png", "ok.png", "--out", "f.png", "--register"], "shot 2: the shots could not be"),
    ],
)
def test_bad_input_is_one_line_and_status_two(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    if arguments[:2] != ["map", "."]:
        if arguments[0] == "map":
            (tmp_path / "text.png").write_text("no image")
        np.save("map.npy", np.zeros((3, 3)))
        (tmp_path / "empty").mkdir()
        np.save("minus.npy", np.full((40, 40), -1))
        write("ok.png", np.zeros((40, 40, 3), np.uint8))
        write("small.png", np.zeros((39, 40, 3), np.uint8))
        write("small.jpg", np.zeros((39, 40, 3), np.uint8))
    assert main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_the_command_is_installed_and_starts_without_torch():
    code = "import sys, defocus_core.cli; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    command = Path(sys.executable).with_name("defocus")
    subprocess.run([command, "--version"], check=True)


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (MemoryError("Unable to allocate 9 GiB"), (2, "not enough memory")),
        (PermissionError(13, "Permission denied", "a folder"), (2, "a folder: Permission denied")),
        (FileNotFoundError("no image file 'a.png'"), (2, "no image file 'a.png'")),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), (2, "not enough memory")),
        (KeyboardInterrupt(), (130, "interrupted")),
    ],
)
def test_an_end_without_result_is_one_line(folder, monkeypatch, capsys, error, ending):

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(pipeline, "estimate_with_certainty", fails)
    status = main(["map", str(folder / "in/a.png"), "--out", str(folder / "o")])
    lines = capsys.readouterr().err.strip().splitlines()
    assert (status, len(lines)) == (ending[0], 1)
    assert ending[1] in lines[0]


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "defocus_core", "models"], capture_output=True, check=True)
    assert b"(default)" in done.stdout


WAITING = """
import os, sys
from defocus_core.cli.parser import main
loaded = "torch" in sys.modules
try:
    main(["--version"])
finally:
    print(loaded, os.environ["OMP_WAIT_POLICY"])
"""


@pytest.mark.parametrize(("given", "taken"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_wait_without_spinning_unless_the_user_says_so(given, taken):
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"} | given
    said = subprocess.check_output([sys.executable, "-c", WAITING], env=environment, text=True)
    assert said.splitlines()[-1] == f"False {taken}"
