"""The wheel that users install: what it requires, and a map made by it alone."""

import importlib.metadata
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image

ROOT = Path(__file__).parents[2]
BUILD = ("pyproject.toml", "README.md", "LICENSE", "defocus_core", "workflow_support")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in BUILD:
        subprocess.run(["cp", "-r", ROOT / name, source], check=True)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, source], check=True)
    (found,) = folder.glob("*.whl")
    return found


def required(wheel, extra=""):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist")
    wanted = map(Requirement, lines)
    return {r.name.lower() for r in wanted if r.marker is None or r.marker.evaluate({"extra": extra})}


def test_the_library_brings_no_workflow(wheel):
    plain = required(wheel)
    assert not plain & {"snakemake", "jsonschema", "onnx", "rawpy", "pillow-heif", "mkdocs-material"}
    for extra, package in {
        "workflow": "snakemake",
        "raw": "rawpy",
        "heif": "pillow-heif",
        "onnx": "onnx",
        "docs": "mkdocs-material",
    }.items():
        assert package in required(wheel, extra) - plain


def test_every_import_of_the_library_is_required(wheel):
    names = importlib.metadata.packages_distributions()
    code = (
        "import sys, pkgutil, importlib, defocus_core.cli.parser, defocus_core.io.write, defocus_core.maps.pipeline; "
    )
    code += "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "snakemake" not in loaded
    known = {"numpy", "cv2", "PIL", "tifffile", "imagecodecs", "torch", "scipy", "safetensors", "rich"}
    for module in known & set(loaded):
        assert {name.lower().replace("_", "-") for name in names[module]} & required(wheel), module


def test_a_wheel_installed_into_an_empty_environment_makes_a_map(wheel, tmp_path):
    place = tmp_path / "env"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin/python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # what it requires is big, and lies where these tests run
    (packages / "required.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    code = "import defocus_core; print(defocus_core.__file__)"
    where = subprocess.run(
        [python, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert Path(where.stdout.strip()).is_relative_to(place)
    command = [python, "-m", "defocus_core", "map", "a.png", "--out", "out", "--format", "tif", "--no-refine"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    with Image.open(tmp_path / "out/a.tif") as written:
        assert written.size == (80, 60)
        assert "scenenet" in str(written.tag_v2[270])
