"""The frames of a film, by PyAV where it is installed."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from defocus_core.io.errors import ImageError, check_size
from defocus_core.io.photograph import Photograph
from defocus_core.io.readers import load_module

FILM_SUFFIXES = (".mp4", ".mov", ".m4v")
_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  ", b"MSNV", b"dash")
_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip")  # that a MOV without a brand begins with


def is_film(head: bytes) -> bool:
    """Say whether the first 32 bytes of a file are those of an MP4 or MOV."""
    return (head[4:8] == b"ftyp" and head[8:12] in _BRANDS) or head[4:8] in _ATOMS


def count_film_frames(path: Path) -> int:
    """Return how many frames a film has, by its packets."""
    return len(_frame_times(path, path.stat().st_mtime_ns))


def read_film_frame(path: Path, index: int, *, max_pixels: int) -> Photograph:
    """Read one frame of a film, upright, (H, W, 3) uint8 RGB: decode from the key frame before it."""
    time = _frame_times(path, path.stat().st_mtime_ns)[index]
    with _open_film(path) as (film, stream):
        check_size(stream.width, stream.height, max_pixels)
        film.seek(time, stream=stream, backward=True)
        for frame in film.decode(stream):
            if frame.pts is not None and frame.pts >= time:
                pixels = frame.to_ndarray(format="rgb24")
                quarters = round(-getattr(frame, "rotation", 0) / 90) % 4
                return Photograph(pixels).turned({0: 1, 1: 6, 2: 3, 3: 8}[quarters])
    raise ImageError("truncated", f"no frame {index + 1}: the film is damaged or truncated")


@contextmanager
def _open_film(path: Path) -> Iterator[tuple[Any, Any]]:
    av = load_module("av", "a film", "'defocus-core[video]'")
    with av.open(str(path)) as film:
        if not film.streams.video:
            raise ImageError("unreadable", "a film without pictures")
        yield film, film.streams.video[0]


@functools.lru_cache(maxsize=4)
def _frame_times(path: Path, modified: int) -> tuple[int, ...]:
    """Return when each frame of a film is shown, by its packets, all of which are read: so once for all frames."""
    with _open_film(path) as (film, stream):
        return tuple(sorted(packet.pts for packet in film.demux(stream) if packet.pts is not None))
