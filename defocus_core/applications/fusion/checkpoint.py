"""The state of a fusion, in memory and on disk, from which a killed run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.composite import Composite, Preference
from defocus_core.applications.fusion.decide import FusionConfig, decision_step
from defocus_core.applications.fusion.depth import FocusPeak
from defocus_core.applications.fusion.sequence import AlignedShot
from defocus_core.io import atomic
from defocus_core.io.pages import Page

_PEAK = ("labels", "at", "below", "above", "reference", "latest", "last")
_ARRAYS = ("image", "labels", "averaged", "fraction", "shown", "shared", "best", "least_sigma", "doubt")
_COMPOSITE = (*_ARRAYS, "step", "same_exposure")
_BY_SHOT = ("left_out", "moved")


@dataclass
class FusionState:
    """A fusion so far.

    Parameters
    ----------
    alignments : of each shot of the stack; None of those not yet taken or left out
    composite : of the shots taken; None before the first
    done : indices of the shots taken or left out, in their order
    checksums : of the shots taken
    has_alpha : whether one of them has an alpha channel
    left_out : why shots were left out, by their indices
    moved : by how many pixels shots that nobody aligns seem moved, by their indices
    """

    alignments: list[Alignment | None]
    composite: Composite | None = None
    done: list[int] = field(default_factory=list)
    checksums: list[int] = field(default_factory=list)
    has_alpha: bool = False
    left_out: dict[int, str] = field(default_factory=dict)
    moved: dict[int, float] = field(default_factory=dict)

    def take(self, shot: AlignedShot, *, config: FusionConfig, prefer: Preference | None) -> None:
        """Add a measured shot to the composite; of one that is left out, note that alone."""
        self.done.append(shot.index)
        if shot.left_out:
            self.left_out[shot.index] = shot.left_out
            return
        if shot.moved:
            self.moved[shot.index] = shot.moved
        assert shot.measures is not None
        self.alignments[shot.index] = shot.alignment
        self.has_alpha |= shot.has_alpha
        self.checksums.append(shot.checksum)
        seen = shot.pixels, shot.measures, shot.shown
        if self.composite is None:
            count, step, averages = len(self.alignments), decision_step(shot.shown.shape), not config.seam_sigma
            self.composite = Composite.of_first(shot.index, *seen, count=count, step=step, averages=averages)
        else:
            self.composite.add(shot.index, shot.neighbour, *seen, config=config, prefer=prefer)


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
        self._key = hashlib.sha256(repr([_COMPOSITE, _BY_SHOT, *map(_identity, shots), settings]).encode()).hexdigest()

    def save(self, state: FusionState) -> None:
        """Write a state that has a composite, whole or not at all."""
        composite = state.composite
        assert composite is not None
        arrays: dict[str, object] = {
            name: value for name in _COMPOSITE if (value := getattr(composite, name)) is not None
        }
        arrays |= {f"peak_{name}": getattr(composite.peak, name) for name in _PEAK}
        for index, alignment in enumerate(state.alignments):
            if alignment:
                arrays[f"aligned_{index}"] = True
                arrays |= {} if alignment.matrix is None else {f"matrix_{index}": alignment.matrix}
                arrays |= {} if alignment.gains is None else {f"gains_{index}": alignment.gains}
        for name in _BY_SHOT:
            noted = getattr(state, name)
            arrays |= {f"{name}_shots": [*noted.keys()], name: [*noted.values()]}
        arrays |= {name: getattr(state, name) for name in ("done", "checksums", "has_alpha")} | {"key": self._key}
        with atomic.replacing(self._path) as part, part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def load(self) -> FusionState:
        """Return the state; that of a fusion not begun where there is none of these shots and settings."""
        nothing = FusionState([None] * self._count)
        if not self._path.is_file():
            return nothing
        try:
            with np.load(self._path, allow_pickle=False) as file:
                held = {name: file[name] for name in file.files}
        except Exception:  # a damaged archive raises nearly anything
            return nothing
        if str(held.get("key")) != self._key:
            return nothing
        kept = {name: held[f"peak_{name}"] for name in _PEAK if name != "last"}
        peak = FocusPeak(**kept, last=int(held["peak_last"]))
        values: dict[str, Any] = {name: held.get(name) for name in _COMPOSITE}
        values |= {"step": int(held["step"]), "same_exposure": bool(held["same_exposure"])}
        composite = Composite(**values, peak=peak)
        alignments = [
            Alignment(held.get(f"matrix_{index}"), held.get(f"gains_{index}")) if f"aligned_{index}" in held else None
            for index in range(self._count)
        ]
        done, checksums = held["done"].tolist(), held["checksums"].tolist()
        noted = {
            name: dict(zip(held[f"{name}_shots"].astype(int).tolist(), held[name].tolist(), strict=True))
            for name in _BY_SHOT
        }
        return FusionState(alignments, composite, done, checksums, bool(held["has_alpha"]), **noted)

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
