"""What the project's own files must agree on."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
import yaml
from packaging.requirements import Requirement

from defocus_core.evaluation.baselines.registry import METHODS
from workflow_support.configuration import Baseline

ROOT = Path(__file__).parents[2]
PINS = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().lower().splitlines() if "==" in line)


def test_the_pins_satisfy_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    extra = {p.name: p for name in ("onnx", "raw", "heif") for p in map(Requirement, extras[name])}
    workflow = [*map(Requirement, extras["workflow"])]
    development = (ROOT / "requirements-dev.txt").read_text().splitlines()
    pins = PINS | dict(line.split("==") for line in development if line.split("==")[0] in extra)
    for wanted in [*map(Requirement, project["dependencies"]), *workflow, *extra.values()]:
        assert wanted.specifier.contains(pins[wanted.name.lower()]), wanted


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_the_conda_environments_have_the_same_pins(name):
    found = {}
    for entry in yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())["dependencies"]:
        lines = entry["pip"] if isinstance(entry, dict) else [entry]
        for line in lines:
            package, _, version = re.sub("=+", "=", line).partition("=")
            found[package.removesuffix(f"-{name}").replace("pytorch", "torch")] = version
    found = {key.lower(): value for key, value in found.items()}
    del found["python"], found["pip"]
    assert found == {key: value for key, value in PINS.items() if key != "setuptools"}


def test_the_configuration_knows_every_baseline():
    assert set(get_args(Baseline)) == set(METHODS)


SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_notes_what_made_its_results_and_writes_them_whole(script):
    text = script.read_text()
    assert text.endswith("\nrecord_provenance(snakemake)\n"), "the last line is record_provenance(snakemake)"
    for call in (r"\bnp\.save", r"to_csv\((?!index=False\))", r"(?<!atomic)\.write_(text|bytes)"):
        assert not re.search(call, text), f"{call}: write through defocus_core.io.atomic"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_keeps_to_the_threads_and_the_log_of_its_rule(script):
    body = re.split(r"^(?:from|import) .*\n|^ .*\n|^\)\n", script.read_text(), flags=re.M)
    first = next(line for line in "".join(body[1:]).splitlines() if line.strip())
    assert first == "start_job(snakemake)"


RULES = re.findall(
    r"^rule (\w+):\n((?:    .*\n|\n)+)",
    "".join(path.read_text() for path in sorted(ROOT.glob("rules/*.smk"))),
    re.M,
)


@pytest.mark.parametrize(("name", "text"), RULES, ids=[name for name, _ in RULES])
def test_every_rule_says_what_a_cluster_and_a_reader_need(name, text):
    missing = [key for key in ("log:", "benchmark:", "conda:", "mem_mb=", "runtime=", "code=") if key not in text]
    assert not missing
