"""Defocus maps as files that other programs open: .npy, float32 TIFF, OpenEXR."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from defocus_core.io import atomic, readers
from defocus_core.io.arrays import read_array
from defocus_core.io.write import write_exr_channels

_READERS: dict[str, Callable[[Path], np.ndarray]] = {
    ".npy": read_array,
    ".tif": tifffile.imread,
    ".tiff": tifffile.imread,
    ".exr": lambda path: readers.read_exr_channels(path)["Y"],
}


def write_map(
    path: str | Path, sigma: np.ndarray, *, unit: str, pixel_size: float | None, notes: dict[str, str]
) -> None:
    """Write a defocus map; TIFF notes what it is in its description, OpenEXR in its header, .npy has no room.

    Parameters
    ----------
    path : file, whose suffix chooses the format
    sigma : (H, W) float32
    unit : of sigma, px or um
    pixel_size : micrometres, written as the resolution of a TIFF; None is not known
    notes : further texts by their names, such as model and software

    Raises
    ------
    ValueError
        If the suffix names no format of maps.
    """
    path, sigma = Path(path), np.asarray(sigma, np.float32)
    if path.suffix.lower() not in _READERS:
        raise ValueError(f"a map is written as {', '.join(_READERS)}, not as {path.name!r}")
    notes = {"quantity": "defocus sigma", "unit": unit, **notes}
    if pixel_size:
        notes["pixel_size_um"] = f"{pixel_size:g}"
    if path.suffix.lower() == ".npy":
        atomic.write_array(path, sigma)
        return
    with atomic.replacing(path) as part:
        if path.suffix.lower() == ".exr":
            write_exr_channels(part, {"Y": np.ascontiguousarray(sigma)}, notes)
            return
        options: dict[str, Any] = {"description": json.dumps(notes), "software": notes.get("software")}
        if pixel_size:
            options |= {"resolution": (1e4 / pixel_size,) * 2, "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(part, sigma, metadata=None, compression="zlib", **options)


def read_map(path: str | Path) -> np.ndarray:
    """Read a defocus map in pixels, (H, W) float32, in any format of `write_map`; never unpickles.

    Raises
    ------
    ValueError
        If it holds anything but finite numbers from 0 on, or notes a unit other than pixels.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no map {str(path)!r}")
    try:
        sigma, unit = _READERS.get(path.suffix.lower(), read_array)(path), _unit_of(path)
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise ValueError(f"{path}: not a defocus map, which holds numbers (height, width) ({error})") from error
    if unit != "px":
        raise ValueError(f"{path}: this map is in {unit}; give the one in pixels")
    if sigma.ndim != 2 or sigma.dtype.kind != "f" or not sigma.size:
        raise ValueError(f"{path}: not a defocus map, which holds numbers (height, width)")
    if not (np.isfinite(sigma).all() and sigma.min() >= 0):
        raise ValueError(f"{path}: a defocus map holds finite numbers of pixels from 0 on")
    return sigma.astype(np.float32)


def _unit_of(path: Path) -> str:
    """Return the unit that a map notes, px where it notes none."""
    if path.suffix.lower() == ".exr":
        return str(readers.read_exr_header(path).get("unit") or "px")
    if path.suffix.lower() not in (".tif", ".tiff"):
        return "px"
    with tifffile.TiffFile(path) as file:
        description = file.pages.first.description
    try:
        return str(json.loads(description).get("unit") or "px")
    except (ValueError, AttributeError):  # not of `write_map`
        return "px"


def find_map(folder: Path, stem: str) -> Path:
    """Return the map of a stem in a folder, the newest of the formats that are there; .npy where none is."""
    names = [folder / f"{stem}{suffix}" for suffix in _READERS]
    there = [path for path in names if path.exists()]
    return max(there, key=lambda path: path.stat().st_mtime_ns, default=names[0])
