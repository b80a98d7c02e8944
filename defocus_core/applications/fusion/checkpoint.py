"""The state of a fusion on disk, from which a killed run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.composite import Composite
from defocus_core.applications.fusion.depth import FocusPeak
from defocus_core.io import atomic
from defocus_core.io.pages import Page

_PEAK = ("labels", "at", "below", "above", "reference", "latest", "last")
_COMPOSITE = ("image", "labels", "averaged", "shown", "shared", "best", "least_sigma", "doubt", "step", "same_exposure")
State = tuple[list[Alignment | None], Composite, list[int], list[int], bool]


class Checkpoint:
    """A file that holds a fusion so far.

    Parameters
    ----------
    path : file; it counts only for the same shots, by name, size and time, and the same settings
    shots : of the stack
    settings : whatever else the result depends on
    """

    def __init__(self, path: str | Path, shots: Sequence[np.ndarray | str | Path | Page], settings: object):
        self._path, self._count = Path(path), len(shots)
        self._key = hashlib.sha256(repr([_COMPOSITE, *map(_identity, shots), settings]).encode()).hexdigest()

    def save(
        self,
        composite: Composite,
        found: Sequence[Alignment | None],
        done: Sequence[int],
        checksums: Sequence[int],
        has_alpha: bool,
    ) -> None:
        """Write the state, whole or not at all."""
        arrays: dict[str, object] = {
            name: value for name in _COMPOSITE if (value := getattr(composite, name)) is not None
        }
        arrays |= {f"peak_{name}": getattr(composite.peak, name) for name in _PEAK}
        for index, alignment in enumerate(found):
            if alignment:
                arrays[f"aligned_{index}"] = True
                arrays |= {} if alignment.matrix is None else {f"matrix_{index}": alignment.matrix}
                arrays |= {} if alignment.gains is None else {f"gains_{index}": alignment.gains}
        arrays |= {"key": self._key, "done": list(done), "checksums": list(checksums), "has_alpha": has_alpha}
        with atomic.replacing(self._path) as part, part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def load(self) -> State | None:
        """Return the state; None where there is none of these shots and settings."""
        if not self._path.is_file():
            return None
        try:
            with np.load(self._path, allow_pickle=False) as file:
                held = {name: file[name] for name in file.files}
        except Exception:  # a damaged archive raises nearly anything
            return None
        if str(held.get("key")) != self._key:
            return None
        kept = {name: held[f"peak_{name}"] for name in _PEAK if name != "last"}
        peak = FocusPeak(**kept, last=int(held["peak_last"]))
        values: dict[str, Any] = {name: held.get(name) for name in _COMPOSITE}
        values |= {"step": int(held["step"]), "same_exposure": bool(held["same_exposure"])}
        composite = Composite(**values, peak=peak)
        found = [
            Alignment(held.get(f"matrix_{index}"), held.get(f"gains_{index}")) if f"aligned_{index}" in held else None
            for index in range(self._count)
        ]
        return found, composite, held["done"].tolist(), held["checksums"].tolist(), bool(held["has_alpha"])

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)


def _identity(shot: np.ndarray | str | Path | Page) -> object:
    """Return what tells a shot from another: its pixels, or name, size and time of its file."""
    if isinstance(shot, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(shot).data).hexdigest(), shot.shape, str(shot.dtype)
    path = shot.path if isinstance(shot, Page) else Path(shot)
    known = path.stat() if path.is_file() else None
    return str(shot), (known.st_size, known.st_mtime_ns) if known else None
