"""Defocus maps as files that other programs open: .npy, float32 TIFF, OpenEXR."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from defocus_core.io import atomic, readers
from defocus_core.io.arrays import read_map

MAP_SUFFIXES = (".npy", ".tif", ".exr")


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
    """
    path = Path(path)
    notes = {"quantity": "defocus sigma", "unit": unit, **notes}
    if pixel_size:
        notes["pixel_size_um"] = f"{pixel_size:g}"
    if path.suffix == ".npy":
        atomic.write_array(path, sigma)
        return
    with atomic.replacing(path) as part:
        if path.suffix == ".exr":
            readers.write_exr_channels(part, {"Y": np.ascontiguousarray(sigma, np.float32)}, notes)
            return
        density: dict[str, Any] = (
            {"resolution": (1e4 / pixel_size,) * 2, "resolutionunit": "CENTIMETER"} if pixel_size else {}
        )
        said, software = json.dumps(notes), notes.get("software")
        values = sigma.astype(np.float32)
        tifffile.imwrite(
            part, values, description=said, metadata=None, software=software, compression="zlib", **density
        )


def read_map_file(path: str | Path) -> np.ndarray:
    """Read a defocus map in pixels, (H, W) float32, in any format of `write_map`.

    Raises
    ------
    ValueError
        If it holds anything but finite numbers from 0 on.
    """
    path = Path(path)
    if path.suffix.lower() not in MAP_SUFFIXES[1:] or not path.is_file():
        return read_map(path)
    try:
        sigma = tifffile.imread(path) if path.suffix.lower() == ".tif" else readers.read_exr_channels(path)["Y"]
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise ValueError(f"{path}: not a defocus map ({error})") from error
    if sigma.ndim != 2 or sigma.dtype.kind != "f" or not (np.isfinite(sigma).all() and sigma.min() >= 0):
        raise ValueError(f"{path}: not a defocus map, which holds finite numbers of pixels from 0 on, (height, width)")
    return sigma.astype(np.float32)


def find_map(folder: Path, stem: str) -> Path:
    """Return the map of a stem in a folder, in the first format that is there; .npy where none is."""
    names = [folder / f"{stem}{suffix}" for suffix in MAP_SUFFIXES]
    return next((path for path in names if path.exists()), names[0])
