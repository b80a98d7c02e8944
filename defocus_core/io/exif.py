"""libexiv2, loaded where metadata are asked for, and one thread at a time: its XMP toolkit is not made for more."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from defocus_core.io import readers, tiff
from defocus_core.io.pages import family
from defocus_core.io.pillow import without_size_limit

_LOCK = threading.RLock()
_X_RESOLUTION, _Y_RESOLUTION, _UNIT, _INCH = 282, 283, 296, 2


@dataclass(frozen=True)
class Opened:
    """A file's metadata: exiv2's image, and what is not exiv2's to say.

    Parameters
    ----------
    image : exiv2's, read
    profile : ICC profile of its pixels
    grey : whether the pixels are grey
    density : pixels to the unit across and down, and TIFF's number of the unit, as the file has them
    pixel_size : micrometres, where OME notes it
    """

    image: Any
    profile: bytes | None = None
    grey: bool = False
    density: tuple[Any, Any, Any] = (0, 0, _INCH)
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
    """Return the metadata of a file; of a TIFF those of its picture, not of a thumbnail before it."""
    with path.open("rb") as stream:
        kind = family(stream.read(32))
    if kind == "pillow":
        return _open_by_pillow(exiv2, path)
    if kind == "tiff":
        with tiff.open_tiff(path) as file:
            if not tiff.is_raw(file):
                return _open_tiff(exiv2, path, file)
    profile = readers.read_heif_profile(path) if kind == "heif" else None
    return Opened(_read(exiv2, path.read_bytes()) or _nothing(exiv2), profile)


def _open_tiff(exiv2: Any, path: Path, file: Any) -> Opened:
    page = tiff.list_pictures(file)[0].page.aspage()
    data = path.read_bytes()
    place = page.offset.to_bytes(4, "little" if file.byteorder == "<" else "big") if not file.is_bigtiff else b""
    image = _read(exiv2, data[:4] + place + data[8:]) if place else None  # exiv2 reads no BigTIFF
    density = tuple(_number(page.tags.valueof(tag, default=(0, 1))) for tag in (_X_RESOLUTION, _Y_RESOLUTION))
    grey, unit = page.photometric in tiff.GREY, page.tags.valueof(_UNIT, default=_INCH)
    profile = None if page.photometric == tiff.PHOTOMETRIC.SEPARATED else page.tags.valueof(tiff.PROFILE)
    size = tiff.pixel_size(file, page) if file.is_ome else None
    return Opened(image or _nothing(exiv2), profile, grey, (*density, unit), size)


def _open_by_pillow(exiv2: Any, path: Path) -> Opened:
    with without_size_limit(), Image.open(path) as picture:
        profile = None if picture.mode == "CMYK" else picture.info.get("icc_profile")
        grey = picture.mode.startswith(("1", "L", "I"))
        density = (*picture.info.get("dpi", (0, 0)), _INCH)
        image = _read(exiv2, path.read_bytes()) or _blocks_of(exiv2, picture)
    return Opened(image, profile, grey, density)


def _read(exiv2: Any, data: bytes) -> Any:
    try:
        image = exiv2.ImageFactory.open(data)
        image.readMetadata()
    except exiv2.Exiv2Error:  # of a colour profile too, that is none
        return None
    return image


def _blocks_of(exiv2: Any, picture: Image.Image) -> Any:
    """Return an image that holds the EXIF and XMP that Pillow finds, where exiv2 refuses a file."""
    found = _nothing(exiv2)
    exif = _read(exiv2, picture.info.get("exif", b"").removeprefix(b"Exif\0\0"))
    xmp = _read(exiv2, picture.info.get("xmp", b"").strip(b"\0 \r\n\t"))
    if exif:
        found.setExifData(exif.exifData())
    if xmp:
        found.setXmpData(xmp.xmpData())
    return found


def _nothing(exiv2: Any) -> Any:
    return exiv2.ImageFactory.create(exiv2.ImageType.exv)


def _number(value: Any) -> float:
    """Return a rational number of a TIFF; 0 where it is none."""
    try:
        return value[0] / value[1]
    except (TypeError, ZeroDivisionError, IndexError):
        return 0.0


def exif_time(path: Path) -> datetime | None:
    """Return when a photograph was taken by its EXIF, to the fraction of a second noted; None where it says nothing."""
    with library() as exiv2:
        found = {datum.key(): datum.toString() for datum in open_metadata(exiv2, path).image.exifData()}
    try:
        taken = datetime.strptime(found["Exif.Photo.DateTimeOriginal"].strip(), "%Y:%m:%d %H:%M:%S")
        return taken + timedelta(seconds=float(f"0.{found.get('Exif.Photo.SubSecTimeOriginal', '0').strip()}"))
    except (KeyError, ValueError):
        return None
