"""A full disk is one clear line, and nothing is left half-written."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from defocus_core.cli.parser import main
from defocus_core.io.write import write


@pytest.fixture
def small_disk(tmp_path):
    """A folder that holds 4 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root, and a machine that lets it")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize(
    "command",
    [
        ["map", "a.png", "--out", "disk/maps"],
        ["fuse", "a.png", "b.png", "--out", "disk/fused.png"],
        ["fuse", "a.png", "b.png", "--out", "disk/fused.tif"],
        ["enhance", "a.png", "--out", "disk/enhanced.png"],
    ],
    ids=lambda command: " ".join([command[0], command[-1]]),
)
def test_a_full_disk_is_named_and_holds_nothing(command, small_disk, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        write(name, rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    assert main(command) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert "No space left on device" in said[-1]
    assert "disk/" in said[-1]
    assert not any("Traceback" in line for line in said)
    assert not [path for path in small_disk.rglob("*") if path.is_file()]
