"""What the project's own files must agree on."""

import ast
import importlib
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
import yaml
from jinja2 import Template
from packaging.requirements import Requirement

from defocus_core.evaluation.baselines.registry import METHODS
from defocus_core.evaluation.benchmark import MEASURES
from workflow_support.sections.benchmarks import BenchmarkSet
from workflow_support.sections.fields import Baseline

ROOT = Path(__file__).parents[2]
PINS = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().lower().splitlines() if "==" in line)


def test_the_pins_satisfy_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    extra = {p.name: p for name in ("onnx", "raw", "heif", "video") for p in map(Requirement, extras[name])}
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


def test_every_truth_of_a_benchmark_set_ranks_methods():
    truths = get_args(BenchmarkSet.model_fields["truth"].annotation)
    assert set(truths) == {"masks", *MEASURES}


SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_notes_what_made_its_results_and_writes_them_whole(script):
    text = script.read_text()
    assert text.endswith("\nrecord_provenance(snakemake)\n"), "the last line is record_provenance(snakemake)"
    for call in (r"\bnp\.save", r"to_csv\((?!index=False\))", r"(?<!atomic)\.write_(text|bytes)"):
        assert not re.search(call, text), f"{call}: write through defocus_core.io.atomic"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_that_measures_blur_reads_for_it(script):
    text = script.read_text()
    if "estimate" in text or "is_all_in_focus" in text:
        assert not re.search(r"\b(read|read_photograph)\(", text), "read_for_measuring: blur is measured in sRGB"


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


PACKAGES = ("defocus_core", "workflow_support")
MODULES = sorted(path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
WITHOUT_A_TEST_FILE = {
    "defocus_core/__main__.py": "cli/test_parser.py runs it",
    "defocus_core/constants.py": "two numbers",
    **{
        path.as_posix(): "builds a network of torchvision; networks/backbones/test_backbones.py tests them all"
        for path in MODULES
        if path.parent.name == "backbones" and "torchvision" in (ROOT / path).read_text()
    },
}


def file_of_tests(module):
    """Return the file that tests a module, in the folder of the unit tests; the face of a package has its own."""
    parts = module.parts[1:] if module.parts[0] == "defocus_core" else module.parts
    return ROOT.joinpath("tests/unit", *parts[:-1], f"test_{module.name}")


@pytest.mark.parametrize("module", [m for m in MODULES if m.name != "__init__.py"], ids=str)
def test_every_module_has_its_test_file_unless_it_is_named_here(module):
    assert file_of_tests(module).is_file() != (module.as_posix() in WITHOUT_A_TEST_FILE)


def test_every_test_file_is_that_of_a_module_a_tool_or_the_whole():
    tools = [ROOT / f"tests/unit/tools/test_{path.name}" for path in (ROOT / "tools").glob("*.py")]
    whole = [f"test_{name}.py" for name in ("doctests", "examples", "package", "project", "trust", "wheel")]
    whole.append("networks/backbones/test_backbones.py")
    whole += [
        "io/test_formats.py",
        "io/test_round_trip.py",
        "cli/test_files.py",
        "cli/test_full_disk.py",
    ]  # of several modules together
    expected = {*map(file_of_tests, MODULES), *tools, *(ROOT / "tests/unit" / name for name in whole)}
    assert set((ROOT / "tests/unit").rglob("test_*.py")) <= expected


@pytest.mark.parametrize("module", [m for m in MODULES if m.as_posix() != "defocus_core/cli/parser.py"], ids=str)
def test_no_module_but_the_command_changes_the_environment_of_its_process(module):
    assert not re.search(r"environ(\[.*\] =|\.(setdefault|update|pop)\()|putenv", (ROOT / module).read_text())


def imports_of(path):
    """Yield what a file imports, wherever in it: pairs of a module and a name in it, or None."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.with_suffix("").parts[: -node.level] if node.level else ()
            module = ".".join((*package, *filter(None, [node.module])))
            yield from ((module, alias.name) for alias in node.names)


BELOW = {  # which parts of the library each may import besides itself
    "settings": set(),
    "constants": set(),
    "memory": set(),
    "io": {"settings", "constants"},
    "blur": {"settings", "constants", "io"},
    "networks": {"settings", "constants", "io", "blur"},
    "training": {"settings", "constants", "memory", "io", "blur", "networks"},
    "maps": {"settings", "constants", "memory", "io", "blur", "networks"},
    "applications": {"settings", "constants", "memory", "io", "blur", "networks", "maps", "training"},
    "evaluation": {"settings", "constants", "io", "blur", "networks", "maps", "training", "applications"},
    "cli": {"settings", "constants", "io", "blur", "networks", "maps", "training", "applications", "evaluation"},
    "__main__": {"cli"},
}


@pytest.mark.parametrize("part", BELOW)
def test_no_part_of_the_library_imports_one_above_it(part):
    upward = []
    for path in MODULES:
        if path.parts[0] != "defocus_core" or path.with_suffix("").parts[1] != part:
            continue
        for module, name in imports_of(path):
            package, *inner = [*module.split("."), *filter(None, [name])]
            outside = package in ("workflow_support", "tools")
            known = {part, *BELOW[part], "__version__"}
            if outside or (package == "defocus_core" and not known & set(inner[:1])):
                upward.append(f"{path}: {'.'.join([package, *inner])}")
    assert not upward


def test_the_order_of_the_parts_names_all_of_them():
    parts = {path.with_suffix("").parts[1] for path in MODULES if path.parts[0] == "defocus_core"}
    assert parts - {"__init__"} == set(BELOW)


@pytest.mark.parametrize(
    "script",
    [
        path.relative_to(ROOT)
        for folder in ("tools", "workflow_scripts", "docs")
        for path in (ROOT / folder).glob("*.py")
    ],
    ids=str,
)
def test_what_a_script_imports_of_the_project_is_there(script):
    for module, name in imports_of(script):
        if module.split(".")[0] in PACKAGES:
            found = importlib.import_module(module)
            assert name is None or hasattr(found, name) or importlib.import_module(f"{module}.{name}")


@pytest.mark.parametrize("wildcards", [{"backbone": "blurnet"}, {"shipped": "blurnet"}])
def test_the_caption_of_a_confusion_matrix_names_its_model(wildcards):
    caption = Template((ROOT / "report/confusion.rst").read_text())
    job = SimpleNamespace(wildcards=SimpleNamespace(**wildcards))
    assert caption.render(snakemake=job).startswith("Confusion matrix of blurnet on the test patches")
