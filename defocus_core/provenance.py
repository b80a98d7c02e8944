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
    names: set[str] = {"__init__"}
    for node in ast.walk(_parsed(path)[0]):
        if isinstance(node, ast.ImportFrom):
            local = node.level or (node.module or "").split(".")[0] == package.name
            if local:
                parts = (node.module or "").removeprefix(package.name).strip(".").split(".")
                names |= {parts[0]} if parts[0] else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            dotted = (alias.name.split(".") for alias in node.names)
            names |= {parts[1] for parts in dotted if parts[0] == package.name and len(parts) > 1}
    return [file for name in names if (file := package / f"{name}.py").is_file()]
