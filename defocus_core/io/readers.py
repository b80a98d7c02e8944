"""Decoders that a file needs but seldom: RAW, HEIC, OpenEXR. Each library is loaded where a file asks."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np

from defocus_core.io.color import divide_by_alpha, linear_to_srgb
from defocus_core.io.errors import ImageError, check_size
from defocus_core.io.photograph import Photograph

_LOCK = threading.Lock()
_READING: list[int] = []  # threads
_BACK = contextlib.ExitStack()  # gives the output back


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
    """Read OpenEXR: light, which alpha multiplies, becomes sRGB levels; what is brighter than white is clipped."""
    (left, top), (right, bottom) = (map(int, corner) for corner in read_exr_header(path)["dataWindow"])
    check_size(right - left + 1, bottom - top + 1, max_pixels)
    channels = read_exr_channels(path)
    colours = [name for name in ("RGBA", "RGB", "Y", "YA") if name in channels]
    if not colours:
        raise ImageError("unreadable", f"OpenEXR of channels {', '.join(channels)}; save it as RGB or Y")
    light = np.nan_to_num(channels[colours[0]].astype(np.float32), posinf=1, neginf=0)
    alpha = channels.get("A", light[..., 3] if light.ndim == 3 and light.shape[2] == 4 else None)
    light = light[..., :3] if light.ndim == 3 else light
    if alpha is None:
        return Photograph(linear_to_srgb(light))
    alpha = np.clip(np.nan_to_num(alpha.astype(np.float32)), 0, 1)
    return Photograph(linear_to_srgb(divide_by_alpha(light, alpha)), alpha)


def read_exr_header(path: Path) -> dict[str, Any]:
    """Return what an OpenEXR file notes, by name."""
    with path.open("rb") as stream, _quietly(), exr_library().File(stream, header_only=True) as file:
        return dict(file.header())


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

    The output is the whole process's: the first of several threads that read takes it, the last gives it back. What
    other threads print to `sys.stdout` and `sys.stderr` meanwhile passes.
    """
    with _LOCK:
        if not _READING:
            _take_output()
        _READING.append(threading.get_ident())
    try:
        yield
    finally:
        with _LOCK:
            _READING.remove(threading.get_ident())
            if not _READING:
                _BACK.close()


def _take_output() -> None:
    """Send to nowhere what compiled code prints to the standard error, and what threads that read print."""
    error = os.dup(2)
    nowhere = _BACK.enter_context(open(os.devnull, "w"))  # noqa: SIM115 (the stack closes it)
    _BACK.callback(os.close, error)
    _BACK.callback(os.dup2, error, 2)
    os.dup2(nowhere.fileno(), 2)
    if sys.stderr is not None:
        stderr = _BACK.enter_context(_reopened(error)) if _writes_to(sys.stderr, 2) else sys.stderr
        _BACK.enter_context(contextlib.redirect_stderr(cast("Any", _OfOthers(stderr, sys.stderr))))
    if sys.stdout is not None:
        _BACK.enter_context(contextlib.redirect_stdout(cast("Any", _OfOthers(sys.stdout, sys.stdout))))


def _reopened(error: int) -> TextIO:
    """Return a stream to a duplicate of the standard error, which like it writes any name of a file."""
    encoding = sys.stderr.encoding
    return open(error, "w", buffering=1, closefd=False, encoding=encoding, errors="backslashreplace")


class _OfOthers:
    """A stream that passes what threads write that read no file; once that is over, to another stream."""

    def __init__(self, stream: Any, afterwards: Any):
        self._stream, self._afterwards = stream, afterwards

    def __getattr__(self, name: str) -> Any:
        return getattr(self._afterwards if self._stream.closed else self._stream, name)

    def write(self, text: str) -> int:
        if threading.get_ident() in _READING:
            return len(text)
        try:
            self._stream.write(text)
        except ValueError:  # closed since, by the thread that read
            self._afterwards.write(text)
        return len(text)


def _writes_to(stream: Any, descriptor: int) -> bool:
    try:
        return bool(stream.fileno() == descriptor)
    except (OSError, ValueError, AttributeError):  # of streams in memory
        return False
