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
            for name, digest in noted.get("outputs", {}).items():
                if path.resolve() == (_root_of(file, noted) / name).resolve():
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


def _root_of(file: Path, noted: dict) -> Path:
    """Return the folder in which the run was made: the record lies beside its first output."""
    return file.resolve().parents[len(Path(noted["beside"]).parts) - 1]


def file_digest(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
