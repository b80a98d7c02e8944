"""What made a result: its code, configuration, packages, machine and inputs."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from defocus_core.io import atomic
from defocus_core.io.provenance import PROVENANCE_SUFFIX, file_digest

UNCOUNTED = ("workflow_support/provenance.py", "workflow_support/job.py", "defocus_core/io/provenance.py")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def note_start(job: Any) -> None:
    """Note in `job.started` what a job starts from, for `record_provenance`: it may be edited while the job runs.

    Parameters
    ----------
    job : has `input` (files or folders)
    """
    job.started = {"commit": _commit(Path(__file__).parents[1]), "inputs": _digests(map(Path, job.input))}


def record_provenance(job: Any) -> Path:
    """Write what made the files of a job beside the first of them: `FILE.provenance.json`.

    The time of day is left out, so that the same run on the same machine writes the same bytes.

    Parameters
    ----------
    job : has `rule` (name), `output` (files or folders), `params` (mapping; its `code` is the digest of
        the code that ran) and `config` (the whole configuration), as the object that Snakemake gives to
        a script, and `started` of `note_start`

    Returns
    -------
    the file written: `rule`, `beside` (the first output), `code`, `parameters`, `config`, `packages`
    (those that the process has loaded), `python`, `machine`, the sha256 of each file of `outputs`, and, as
    they were when the job started, `commit` and the sha256 of each file of `inputs`
    """
    outputs = [Path(path) for path in job.output]
    parameters = dict(job.params.items())
    noted = {
        "rule": job.rule,
        "beside": outputs[0].as_posix(),
        "code": parameters.pop("code", None),
        "parameters": parameters,
        "config": job.config,
        "packages": _packages(),
        "python": platform.python_version(),
        "machine": _machine(),
        "outputs": _digests(outputs),
        **job.started,
    }
    file = outputs[0].with_name(outputs[0].name + PROVENANCE_SUFFIX)
    atomic.write_text(file, json.dumps(noted, indent=1, sort_keys=True, default=str) + "\n")
    return file


def _digests(paths: Iterable[Path]) -> dict[str, str]:
    files = []
    for path in paths:
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return {file.as_posix(): file_digest(file) for file in files}


def _commit(root: Path) -> str | None:
    """Return the commit of the checkout, `+` added where tracked files differ from it; None outside git."""
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")) != root.resolve():
            return None
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
        return _git(root, "rev-parse", "HEAD") + "+" * bool(changes)
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *what: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(root), *what]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


def _packages() -> dict[str, str]:
    """Return the versions of the packages that this process has loaded."""
    names = importlib.metadata.packages_distributions()
    loaded = {name for module in list(sys.modules) for name in names.get(module, ())}
    return {name: importlib.metadata.version(name) for name in sorted(loaded)}


def _machine() -> dict[str, str | int | None]:
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else None
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "gpu": gpu,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def code_digest(script: str | Path, root: str | Path) -> str:
    """Return a digest of a script and of every module under a folder that it reaches by import.

    Comments, docstrings, descriptions of settings, layout and the version do not count, for the digest is taken
    over the parsed program; neither do modules that change no result: this one, and the start of a job.

    Parameters
    ----------
    script : Python file
    root : folder from which modules are imported, such as that which holds `defocus_core`

    Returns
    -------
    16 hexadecimal digits
    """
    digests = sorted((path.name, digest) for path, digest in reached_modules(script, root).items())
    return hashlib.sha256(repr(digests).encode()).hexdigest()[:16]


def reached_modules(script: str | Path, root: str | Path) -> dict[Path, str]:
    """Return a script and the modules that count in its `code_digest`, each with a digest of its program."""
    reached: dict[Path, str] = {}
    waiting = [Path(script)]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            imports, reached[path] = _read_module(path, Path(root))
            waiting.extend(imports)
    return reached


@functools.cache
def _read_module(path: Path, root: Path) -> tuple[set[Path], str]:
    """Return the files that a module imports, of those that count, and a digest of its program."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Field":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
    tree.body = [node for node in tree.body if not _is_version(node)]
    imports = _imports(tree, path, root) - {root / name for name in UNCOUNTED}
    return imports, hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def _is_version(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and "__version__" in map(ast.unparse, node.targets)


def _imports(tree: ast.Module, path: Path, root: Path) -> set[Path]:
    found: list[Path] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else root
            module = start.joinpath(*(node.module or "").split("."))
            found += _files(module, root)
            for alias in node.names:
                found += _files(module / alias.name, root)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found += _files(root.joinpath(*alias.name.split(".")), root)
    return set(found)


def _files(module: Path, root: Path) -> list[Path]:
    """Return the files that importing a module runs, if it lies under `root`: its packages and itself."""
    packages = [folder for folder in (module, *module.parents) if root in folder.parents]
    files = [module.with_suffix(".py"), *(folder / "__init__.py" for folder in packages)]
    return [file for file in files if file.is_file()]
