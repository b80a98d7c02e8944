"""Alignments of a stack as a JSON file, to be used for the same scene in another lighting or channel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.frame import Frame
from defocus_core.applications.fusion.stack import AlignedStack
from defocus_core.io import atomic

FORMAT = "defocus-core alignment 1"


def write_alignment(path: str | Path, stack: AlignedStack, *, names: Sequence[str]) -> None:
    """Write the alignment of a stack: of each shot its name, map and gains, whole or not at all."""
    frame = stack.frame
    shots = [
        {"name": name, "left_out": True}
        if found is None
        else {"name": name, "matrix": _listed(found.matrix), "gains": _listed(found.gains)}
        for name, found in zip(names, stack.alignments, strict=True)
    ]
    held = {
        "format": FORMAT,
        "matrix": "from a pixel (column, row) of the reference to that of the shot",
        "reference": stack.reference + 1,
        "height": stack.shape[0],
        "width": stack.shape[1],
        "frame": {"top": frame.top, "bottom": frame.bottom, "left": frame.left, "right": frame.right},
        "shots": shots,
    }
    atomic.write_text(path, json.dumps(held, indent=1) + "\n")


def read_alignment(path: str | Path, *, names: Sequence[str]) -> AlignedStack:
    """Read an alignment for a stack.

    Parameters
    ----------
    path : file
    names : of the shots; those of another lighting may have other ones

    Raises
    ------
    ValueError
        If it is no such file, of another number of shots, or of the same ones in another order.
    """
    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
        if held["format"] != FORMAT:
            raise ValueError(f"format {held['format']!r}")
        found = tuple(_alignment(shot) for shot in held["shots"])
        own = [str(shot.get("name")) for shot in held["shots"]]
        frame, shape = Frame(**held["frame"]), (int(held["height"]), int(held["width"]))
        stack = AlignedStack(found, frame, shape, int(held["reference"]) - 1)
        if not 0 <= stack.reference < len(found):
            raise ValueError(f"the reference is shot {stack.reference + 1} of {len(found)}")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not an alignment that `defocus fuse --alignment` wrote ({error})") from error
    if len(found) != len(names):
        raise ValueError(f"{path}: the alignment of {len(found)} shots does not fit a stack of {len(names)}")
    if own != list(names) and sorted(own) == sorted(names):
        place = next(index for index, name in enumerate(names) if name != own[index])
        raise ValueError(
            f"{path}: the alignment is of the same shots in another order: its shot {place + 1} is {own[place]}, not "
            f"{names[place]}; give the shots in its order"
        )
    return stack


def _alignment(shot: dict[str, Any]) -> Alignment | None:
    if shot.get("left_out"):
        return None
    matrix = None if shot["matrix"] is None else np.array(shot["matrix"], np.float64)
    if matrix is not None and (matrix.shape not in ((2, 3), (3, 3)) or not np.isfinite(matrix).all()):
        raise ValueError(f"a matrix is 2 x 3 or 3 x 3 numbers, not {shot['matrix']}")
    return Alignment(matrix, None if shot["gains"] is None else np.array(shot["gains"], np.float32))


def _listed(values: np.ndarray | None) -> list | None:
    return None if values is None else np.asarray(values, np.float64).tolist()
