"""Find the provenance record of a workflow result."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

PROVENANCE_SUFFIX = ".provenance.json"


class ProvenanceError(ValueError):
    """A result of which nothing is noted."""


def find_provenance(path: str | Path) -> dict:
    """Return what `record_provenance` noted of a result, with `unchanged`: whether its bytes are those noted.

    Raises
    ------
    ProvenanceError
        If the file is not there, or nothing is noted of it.
    """
    path = Path(path)
    if not path.is_file():
        raise ProvenanceError(f"no file {str(path)!r}; ask for one file of a result")
    for folder in path.resolve().parents:
        for file in sorted(folder.glob("*" + PROVENANCE_SUFFIX)):
            noted = _read_record(file)
            root = _root_of(file, noted)
            for name, digest in noted.get("outputs", {}).items():
                if root and path.resolve() == (root / name).resolve():
                    return {**noted, "unchanged": digest == file_digest(path)}
    raise ProvenanceError(f"nothing is noted of {str(path)!r}; files that the workflow made have *{PROVENANCE_SUFFIX}")


def _read_record(file: Path) -> dict:
    """Return a record; an empty one of a file that is none of ours."""
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return {}
    if not isinstance(noted, dict):
        return {}
    ours = isinstance(noted.get("outputs"), dict) and isinstance(noted.get("beside"), str)
    return noted if ours else {}


def _root_of(file: Path, noted: dict) -> Path | None:
    """Return the folder in which the run was made, above the record's `beside`; None where that is too deep."""
    above = file.resolve().parents
    depth = len(Path(noted.get("beside", "")).parts)
    return above[depth - 1] if 0 < depth <= len(above) else None


def file_digest(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
