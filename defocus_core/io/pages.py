"""The pictures that one file holds: pages of a TIFF, frames of an animation or a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from defocus_core.io import tiff, video
from defocus_core.io.errors import ImageError, decoder_errors
from defocus_core.io.pillow import count_frames, without_size_limit

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
RAW_MAGIC = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM", b"FUJIFILMCCD-RAW")


@dataclass(frozen=True)
class Page:
    """One picture of a file that holds several; `read` reads it as it does a file.

    Parameters
    ----------
    path : file
    index : which of its pictures, from 0; -1 stands for all of its position (`group_pages`)
    position : its place along each axis that a microscope named, such as (("C", 0), ("Z", 3))
    """

    path: Path
    index: int
    position: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        place = ", ".join(f"{tiff.AXES.get(axis, axis)} {place + 1}" for axis, place in self.position)
        if self.index < 0:
            return ", ".join([str(self.path), *([place] if place else [])])
        return f"{self.path}, picture {self.index + 1}" + (f" ({place})" if place else "")

    @property
    def stem(self) -> str:
        """The file's, and the place along each axis, from 1: `cells.c2.t1`."""
        return ".".join([self.path.stem, *self.labels])

    @property
    def labels(self) -> tuple[str, ...]:
        """The place along each axis, from 1: `c2`, `t1`."""
        return tuple(f"{axis.lower()}{place + 1}" for axis, place in self.position)

    @property
    def suffix(self) -> str:
        """The file's."""
        return self.path.suffix


def list_pages(
    path: str | Path, *, channel: int | None = None, z: int | None = None, time: int | None = None
) -> list[Page]:
    """Return the pictures of one size in a file, as a microscope stores a stack in one TIFF.

    Parameters
    ----------
    path : file
    channel, z, time : place along the axis, from 1; None is all. Where the file names no axis, z is its place in it

    Raises
    ------
    ImageError
        If it is not an image, or has no such place.
    """
    path, pages = Path(path), _list_pages(Path(path))
    if z is not None and len(pages) > 1 and not any(page.position for page in pages):
        pages = [replace(page, position=(("Z", page.index),)) for page in pages]
    for axis, number in {"C": channel, "Z": z, "T": time}.items():
        places = sorted({dict(page.position).get(axis, 0) + 1 for page in pages})
        if number is not None and number not in places:
            raise ImageError("unreadable", f"{path}: no {tiff.AXES[axis]} {number}; it has {places[0]} to {places[-1]}")
        pages = [page for page in pages if number in (None, dict(page.position).get(axis, 0) + 1)]
    return pages


def group_pages(pages: Sequence[Page]) -> dict[Page, list[Page]]:
    """Return the slices of each channel and time, by a page that stands for them: its position has no other axis.

    Times of a file without z are taken for slices: the focus moved as time went by.
    """
    groups: dict[Page, list[Page]] = {}
    apart = "CT" if any(axis == "Z" for page in pages for axis, _ in page.position) else "C"
    for page in pages:
        place = tuple((axis, index) for axis, index in page.position if axis in apart)
        groups.setdefault(Page(page.path, -1, place), []).append(page)
    return groups


def _list_pages(path: Path) -> list[Page]:
    with decoder_errors(path):
        with path.open("rb") as stream:
            kind = family(stream.read(32))
        if kind == "tiff":
            with tiff.open_tiff(path) as file:
                found = [()] if tiff.is_raw(file) else [picture.position for picture in tiff.list_pictures(file)]
                return [Page(path, index, position) for index, position in enumerate(found)]
        if kind == "pillow":
            with without_size_limit(), Image.open(path) as picture:
                return [Page(path, index) for index in range(count_frames(picture))]
        if kind == "film":
            return [Page(path, index) for index in range(video.count_film_frames(path))]
        return [Page(path, 0)]


def family(head: bytes) -> str:
    """Return which reader a file needs by its first 32 bytes: pillow, tiff, raw, heif, film or exr."""
    if head[:4] in TIFF_MAGIC:
        return "raw" if head[8:12] in (b"CR\2\0", b"IIII", b"MMMM") else "tiff"
    if head.startswith(RAW_MAGIC) or head[6:14] == b"HEAPCCDR":
        return "raw"
    if video.is_film(head):
        return "film"
    if head[4:8] == b"ftyp":
        return {b"crx ": "raw", b"avif": "pillow", b"avis": "pillow"}.get(head[8:12], "heif")
    return "exr" if head[:4] == b"\x76\x2f\x31\x01" else "pillow"
