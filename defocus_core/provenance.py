"""What made a result: the digest of its code."""

from __future__ import annotations

import ast
import functools
import hashlib
from pathlib import Path


def code_digest(script: str | Path, root: str | Path) -> str:
    """Return a digest of a script and of every ``defocus_core`` module that it reaches by import.

    Comments and layout do not count, for the digest is taken over the parsed program.

    Parameters
    ----------
    script : Python file
    root : folder that holds ``defocus_core``

    Returns
    -------
    16 hexadecimal digits
    """
    seen: set[Path] = set()
    waiting = [Path(script)]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting.extend(_imports(path, Path(root)))
    digests = sorted((path.name, _parsed(path)[1]) for path in seen)
    return hashlib.sha256(repr(digests).encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=256)
def _parsed(path: Path) -> tuple[ast.Module, str]:
    tree = ast.parse(path.read_text())
    return tree, hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def _imports(path: Path, root: Path) -> list[Path]:
    package = root / "defocus_core"
    found = []
    for node in ast.walk(_parsed(path)[0]):
        if isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else root
            module = start.joinpath(*(node.module or "").split("."))
            found += _files(module, package)
            for alias in node.names:
                found += _files(module / alias.name, package)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found += _files(root.joinpath(*alias.name.split(".")), package)
    return found


def _files(module: Path, package: Path) -> list[Path]:
    """Return the files that importing a module runs, if it lies in ``package``: its packages and itself."""
    if not module.is_relative_to(package):
        return []
    packages = [folder for folder in (module, *module.parents) if folder.is_relative_to(package)]
    files = [module.with_suffix(".py"), *(folder / "__init__.py" for folder in packages)]
    return [file for file in files if file.is_file()]
