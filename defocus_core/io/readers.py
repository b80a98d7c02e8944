"""Decoders that a file needs but seldom: RAW, HEIC, OpenEXR. Each library is loaded where a file asks."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from defocus_core.io.color import linear_to_srgb
from defocus_core.io.errors import ImageError, check_size
from defocus_core.io.photograph import Photograph

_LOCK = threading.Lock()
_READING: list[Any] = []  # what gives the output back, and one entry for each thread that reads


def read_raw(path: Path, *, max_pixels: int, half_size: bool = False) -> Photograph:
    """Develop a RAW file: the camera's white balance, sRGB, 16 bit, no brightening.

    Patterned pixel grouping takes half the time of rawpy's default (AHD, 1.8 s of one core for 24 megapixels).
    """
    rawpy = load_module("rawpy", "a RAW photograph", "'defocus-core[raw]'")
    with path.open("rb") as stream, _quietly(), rawpy.imread(stream) as raw:
        check_size(raw.sizes.raw_width, raw.sizes.raw_height, max_pixels)
        options = {
            "demosaic_algorithm": rawpy.DemosaicAlgorithm.PPG,
            "use_camera_wb": True,
            "no_auto_bright": True,
            "output_bps": 16,
            "gamma": (2.4, 12.92),
        }
        return Photograph(raw.postprocess(half_size=half_size, **options))


def read_heif(path: Path, *, max_pixels: int) -> Photograph:
    """Read HEIC, 8 bit, or 16 where it has more; libheif turns it upright."""
    heif = heif_library().open_heif(path, convert_hdr_to_8bit=False)
    width, height = heif.size
    check_size(width, height, max_pixels)
    picture = heif[heif.primary_index]
    samples = np.asarray(picture)
    alpha = np.ascontiguousarray(samples[..., -1]) if picture.has_alpha else None
    pixels = samples if samples.ndim == 2 else samples[..., : 3 if samples.shape[2] >= 3 else 1]
    return Photograph(np.ascontiguousarray(pixels), alpha, picture.info.get("icc_profile"))


def read_exr(path: Path, *, max_pixels: int) -> Photograph:
    """Read OpenEXR: light becomes sRGB levels, what is brighter than white is clipped."""
    with path.open("rb") as stream, _quietly(), exr_library().File(stream, header_only=True) as file:
        (left, top), (right, bottom) = (map(int, corner) for corner in file.header()["dataWindow"])
    check_size(right - left + 1, bottom - top + 1, max_pixels)
    channels = read_exr_channels(path)
    colours = [name for name in ("RGBA", "RGB", "Y", "YA") if name in channels]
    if not colours:
        raise ImageError("unreadable", f"OpenEXR of channels {', '.join(channels)}; save it as RGB or Y")
    light = np.nan_to_num(channels[colours[0]].astype(np.float32), posinf=1, neginf=0)
    alpha = channels.get("A", light[..., 3] if light.ndim == 3 and light.shape[2] == 4 else None)
    return Photograph(linear_to_srgb(light[..., :3] if light.ndim == 3 else light), alpha)


def read_exr_channels(path: Path) -> dict[str, np.ndarray]:
    """Return the channels of an OpenEXR file by name, RGB and RGBA together."""
    with path.open("rb") as stream, _quietly(), exr_library().File(stream) as file:
        return {name: channel.pixels for name, channel in file.channels().items()}


def read_heif_profile(path: Path) -> bytes | None:
    """Return the colour profile of a HEIC file."""
    return heif_library().open_heif(path).info.get("icc_profile")


def heif_library() -> Any:
    """Return the module pillow_heif."""
    return load_module("pillow_heif", "HEIC", "'defocus-core[heif]'")


def exr_library() -> Any:
    """Return the module OpenEXR."""
    return load_module("OpenEXR", "OpenEXR", "OpenEXR")


def load_module(module: str, what: str, packages: str) -> Any:
    """Return a module that a file needs, or raise ImageError that names what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        said = f"{what}, which needs {module}: pip install {packages}"
        raise ImageError("unreadable", said) from error


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what LibRaw's and OpenEXR's own code print of a damaged file from the terminal; exceptions say it too.

    The output is the whole process's: the first of several threads that read takes it, the last gives it back.
    """
    with _LOCK:
        if not _READING:
            _READING.append(_take_output())
        _READING.append(None)
    try:
        yield
    finally:
        with _LOCK:
            _READING.pop()
            if len(_READING) == 1:
                _READING.pop().close()


def _take_output() -> contextlib.ExitStack:
    """Send the standard output and error to nowhere, until what is returned is closed."""
    back, error = contextlib.ExitStack(), os.dup(2)
    nowhere = back.enter_context(open(os.devnull, "w"))  # noqa: SIM115 (the stack closes it)
    back.callback(os.close, error)
    back.callback(os.dup2, error, 2)
    back.enter_context(contextlib.redirect_stdout(nowhere))
    os.dup2(nowhere.fileno(), 2)
    return back
