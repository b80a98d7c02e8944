"""libexiv2, loaded where metadata are asked for, and one thread at a time: its XMP toolkit is not made for more."""

from __future__ import annotations

import functools
import logging
import math
import mmap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from defocus_core.io import readers, tiff
from defocus_core.io.errors import decoder_errors
from defocus_core.io.pages import family
from defocus_core.io.pillow import find_profile, without_size_limit

_LOCK = threading.RLock()
_INCH, _CENTIMETER = 2, 3  # TIFF's numbers of units


@dataclass(frozen=True)
class Opened:
    """A file's metadata: exiv2's image, and what is not exiv2's to say.

    Parameters
    ----------
    image : exiv2's, read
    profile : ICC profile of its pixels
    grey : whether the pixels are grey
    density : pixels to the unit across and down, and TIFF's number of the unit, as the file has them
    pixel_size : micrometres from one pixel to the next, where a microscope noted it
    """

    image: Any
    profile: bytes | None = None
    grey: bool = False
    density: tuple[Any, Any, Any] | None = None
    pixel_size: float | None = None


@contextmanager
def library() -> Iterator[Any]:
    """Yield the module exiv2, which keeps what it finds in a damaged file to itself meanwhile."""
    with _LOCK:
        import exiv2

        level = exiv2.LogMsg.level()
        exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)
        try:
            yield exiv2
        finally:
            exiv2.XmpProperties.unregisterNs()  # a file's own namespaces, which may take the prefixes of others
            exiv2.LogMsg.setLevel(level)


def exif_numbers(path: Path) -> tuple[dict[str, float], tuple[int, int]]:
    """Return the positive numbers of a photograph's EXIF by their names, and its width and height."""
    with library() as exiv2:
        image = open_metadata(exiv2, path).image
        found = {}
        for datum in image.exifData():
            number = datum.toFloat() if datum.groupName() == "Photo" and datum.count() == 1 else 0
            if math.isfinite(number) and number > 0:
                found[datum.tagName()] = number
        return found, (image.pixelWidth(), image.pixelHeight())


def open_metadata(exiv2: Any, path: Path) -> Opened:
    """Return the metadata of a file; of a TIFF those of its picture, not of a thumbnail before it.

    Raises
    ------
    ImageError
        If it is no photograph.
    """
    with decoder_errors(path):
        with path.open("rb") as stream:
            kind = family(stream.read(32))
        if kind == "pillow":
            return _open_by_pillow(exiv2, path)
        if kind == "tiff":
            with tiff.open_tiff(path) as file:
                if not tiff.is_raw(file):
                    return _open_tiff(exiv2, path, file)
        profile = readers.read_heif_profile(path) if kind == "heif" else None
        return Opened(_read(exiv2, _map_file(path)) or _join_blocks(exiv2), profile)


def _open_tiff(exiv2: Any, path: Path, file: Any) -> Opened:
    page = tiff.list_pictures(file)[0].page.aspage()
    if file.is_bigtiff:
        image = _join_blocks(exiv2, exif=_exif_of_bigtiff(path, page.offset, file.byteorder))
    else:
        data = _map_file(path)
        data[4:8] = page.offset.to_bytes(4, "little" if file.byteorder == "<" else "big")
        image = _read(exiv2, data) or _join_blocks(exiv2)
    profile = None if page.photometric == tiff.PHOTOMETRIC.SEPARATED else page.tags.valueof(tiff.PROFILE)
    size = tiff.pixel_size(file, page)
    of_ome = (1e4 / size, 1e4 / size, _CENTIMETER) if size and file.is_ome else None
    has_density = {"XResolution", "YResolution"} <= {tag.name for tag in page.tags}
    density = of_ome or ((*page.resolution, page.resolutionunit) if has_density else None)
    return Opened(image, profile, page.photometric in tiff.GREY, density, size)


def _open_by_pillow(exiv2: Any, path: Path) -> Opened:
    with without_size_limit(), Image.open(path) as picture:
        info, grey = picture.info, picture.mode.startswith(("1", "L", "I"))
        image = _read(exiv2, _map_file(path)) or _join_blocks(exiv2, info.get("exif", b""), info.get("xmp", b""))
        return Opened(image, find_profile(picture), grey, (*info["dpi"], _INCH) if "dpi" in info else None)


def _map_file(path: Path) -> mmap.mmap:
    """Return the bytes of a file, of which those that are looked at are read; what is written to them stays here."""
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)


def _exif_of_bigtiff(path: Path, offset: int, byteorder: str) -> bytes:
    """Return the tags of a BigTIFF's directory, which exiv2 cannot read, as a block of EXIF."""
    exif = Image.Exif()
    exif.endian, exif.bigtiff = byteorder, True
    try:
        with path.open("rb") as stream:
            exif.load_from_fp(stream, offset)
            for group in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
                exif.get_ifd(group)
            exif.bigtiff = False
            return exif.tobytes()
    except Exception:  # of damaged ones nearly anything, and Pillow knows none of Motorola's byte order
        say_once(f"EXIF, IPTC and XMP of this BigTIFF cannot be read and are not kept: {path}")
        return b""


def _join_blocks(exiv2: Any, exif: bytes = b"", xmp: bytes = b"") -> Any:
    """Return an image that holds blocks of EXIF and XMP, for a file that exiv2 refuses."""
    found = exiv2.ImageFactory.create(exiv2.ImageType.exv)
    if read := _read(exiv2, exif.removeprefix(b"Exif\0\0")):
        found.setExifData(read.exifData())
        found.setIptcData(read.iptcData())
        found.setXmpData(read.xmpData())
    if read := _read(exiv2, xmp.strip(b"\0 \r\n\t")):
        found.setXmpData(read.xmpData())
    return found


def _read(exiv2: Any, data: bytes | mmap.mmap) -> Any:
    try:
        image = exiv2.ImageFactory.open(data)
        image.readMetadata()
    except exiv2.Exiv2Error:  # of a colour profile too, that is none
        return None
    return image


@functools.cache
def say_once(message: str) -> None:
    """Tell the user what is lost; the same for many photographs once."""
    logging.getLogger("defocus_core").warning(message)


def exif_time(path: Path) -> datetime | None:
    """Return when a photograph was taken by its EXIF, to the fraction of a second noted; None where it says nothing."""
    with library() as exiv2:
        found = {datum.key(): datum.toString() for datum in open_metadata(exiv2, path).image.exifData()}
    try:
        taken = datetime.strptime(found["Exif.Photo.DateTimeOriginal"].strip(), "%Y:%m:%d %H:%M:%S")
        return taken + timedelta(seconds=float(f"0.{found.get('Exif.Photo.SubSecTimeOriginal', '0').strip()}"))
    except (KeyError, ValueError):
        return None
