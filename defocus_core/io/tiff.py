"""TIFF files of every kind, by tifffile and imagecodecs."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from tifffile import PHOTOMETRIC, TiffFile

from defocus_core.io.color import divide_by_alpha
from defocus_core.io.errors import ImageError, check_size
from defocus_core.io.photograph import Photograph

AXES = {"C": "channel", "Z": "z", "T": "time"}
_INCH = 25400  # micrometres
_MICROMETRE = dict.fromkeys(
    ("um", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"), 1
)
TO_MICROMETRES = {"nm": 1e-3, **_MICROMETRE, "mm": 1e3, "cm": 1e4, "in": _INCH, "inch": _INCH, "inches": _INCH}
MAX_SUBIFDS = 16  # that may hold a camera's picture
MAX_OBJECT_PIXEL = 10  # micrometres: a larger pixel is the print resolution of a photograph
_BY_TIFFFILE = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE)
_RAW = (PHOTOMETRIC.CFA, PHOTOMETRIC.LINEAR_RAW)
_DNG_VERSION, _MIN_SAMPLE, _MAX_SAMPLE, _ORIENTATION, PROFILE, _X_RESOLUTION = 50706, 340, 341, 274, 34675, 282
GREY = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK)
_ASSOCIATED = 1  # alpha that colours are multiplied by


@dataclass(frozen=True)
class Picture:
    """One picture of a TIFF: its directory, and its place along the axes that the file names."""

    page: Any
    position: tuple[tuple[str, int], ...] = ()


def open_tiff(path: Any) -> TiffFile:
    """Open a TIFF by its name or file object; it may not lead to other files, as OME's XML can."""
    return TiffFile(path, _multifile=False)


def is_raw(file: TiffFile) -> bool:
    """Say whether a TIFF is a camera's RAW file: its largest picture is behind a colour filter.

    Raises
    ------
    ImageError
        If that picture is cut short, of which LibRaw makes black.
    """
    first: Any = file.pages[0]
    pages = [first, *itertools.islice(first.pages or (), MAX_SUBIFDS)]
    raw = [page for page in pages if getattr(page, "photometric", None) in _RAW]
    _check_whole(file, raw)
    return bool(raw) or _DNG_VERSION in first.tags


def list_pictures(file: TiffFile) -> list[Picture]:
    """Return the pictures of one size in a TIFF, its masks and smaller copies left out.

    Raises
    ------
    ImageError
        If they are not of one size, or of several images of an OME-TIFF, such as positions of a stage.
    """
    pages: list[Any] = [page for page in _pages_of(file) if not int(getattr(page, "subfiletype", 0)) & 0b101]
    most = max((page.imagewidth * page.imagelength for page in pages), default=0)
    pages = [page for page in pages if 4 * page.imagewidth * page.imagelength > most] or [file.pages[0]]
    _check_whole(file, pages)
    if len({(page.imagewidth, page.imagelength) for page in pages}) > 1:
        raise ImageError("unreadable", f"{len(pages)} pictures of different size in one file; save one")
    series = _series_of(file, pages)
    if file.is_ome and len(series) > 1:
        raise ImageError(
            "unreadable", f"{len(series)} images (positions) in one OME-TIFF; save each in a file of its own"
        )
    return _name_places(series[0], pages)


def _series_of(file: TiffFile, pages: list[Any]) -> list[Any]:
    """Return the series that directories belong to; the first of the file where they belong to none."""
    offsets = {page.offset for page in pages}
    return [s for s in file.series if any(p is not None and p.offset in offsets for p in s.pages)] or file.series[:1]


def _name_places(series: Any, pages: list[Any]) -> list[Picture]:
    """Return the directories with their places along the axes of a microscope; OME may leave some out."""
    axes = [(axis, n) for axis, n in zip(series.axes, series.shape, strict=True) if axis not in "YXS"]
    places = list(np.ndindex(*(n for _, n in axes)))
    found = [(page, place) for page, place in zip(series.pages, places, strict=False) if page is not None]
    if not set(AXES) & set(series.axes):
        return [Picture(page) for page in pages]
    if len(found) == len(pages) and len(series.pages) == len(places):
        return [
            Picture(page, tuple((axis, i) for (axis, _), i in zip(axes, place, strict=True))) for page, place in found
        ]
    if len(pages) < len(places) or {"C", "T"} & set(series.axes):
        named = " x ".join(f"{n} {axis}" for axis, n in axes)
        raise ImageError("unreadable", f"{named} are named and {len(pages)} pictures there; save it as OME-TIFF anew")
    return [Picture(page) for page in pages]


def _pages_of(file: TiffFile) -> Iterator[Any]:
    offsets: set[int] = set()
    for page in file.pages:
        if page.offset in offsets:
            raise ImageError("truncated", "damaged or truncated (its directories lead in a circle)")
        offsets.add(page.offset)
        yield page


def _check_whole(file: TiffFile, pages: list[Any]) -> None:
    for page in pages:
        ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if not ends or max(ends) > file.filehandle.size:
            raise ImageError("truncated", "damaged or truncated (pixels lie beyond the end of the file)")


def is_known(page: Any) -> bool:
    """Say whether tifffile knows the colours of a directory; Pillow knows more, in 8 bit.

    Raises
    ------
    ImageError
        If neither does.
    """
    if page.photometric not in _BY_TIFFFILE and page.bitspersample > 8:
        raise ImageError("unreadable", f"{page.bitspersample} bit in other colours; save it as grey or RGB")
    return page.photometric in _BY_TIFFFILE


def decode(page: Any, *, max_pixels: int) -> Photograph:
    """Return the pixels of a TIFF's directory whose colours are known, as they lie in the file.

    Raises
    ------
    ImageError
        If it is too large, or of numbers or a compression that cannot be read.
    """
    check_size(page.imagewidth, page.imagelength, max_pixels)
    if page.is_tiled:
        check_size(page.tilewidth, page.tilelength, max_pixels)
    if page.samplesperpixel > 64 or page.imagedepth > 1:
        raise ImageError("unreadable", f"{page.samplesperpixel} samples a pixel in {page.imagedepth} layers; save one")
    if page.compression not in tifffile.TIFF.DECOMPRESSORS:
        raise ImageError("unreadable", f"TIFF compressed by {page.compression!s}; save it with ZIP, LZW or ZSTD")
    samples = page.asarray(maxworkers=1)
    samples = np.moveaxis(samples, 0, 2) if page.axes.startswith("S") else samples
    samples = _in_full_range(samples, page)
    if page.photometric == PHOTOMETRIC.PALETTE:
        samples = (page.colormap.T[samples if samples.ndim == 2 else samples[..., 0]] >> 8).astype(np.uint8)
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        samples = (1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max) - samples
    return _split_alpha(samples, page)


def orientation(page: Any) -> int:
    """Return the orientation that a TIFF's directory notes, 1 where there is none."""
    return int(page.tags.valueof(_ORIENTATION, default=1) or 1)


def _in_full_range(samples: np.ndarray, page: Any) -> np.ndarray:
    """Return unsigned numbers that fill the range of their dtype, or float32 in [0, 1] by their declared range."""
    bits = page.bitspersample
    if samples.dtype.kind == "f":
        low, high = (np.min(page.tags.valueof(tag, default=np.nan)) for tag in (_MIN_SAMPLE, _MAX_SAMPLE))
        if not high > low:
            said = "floating-point pixels; save it as 8 or 16 bit, or declare their range (SMin-, SMaxSampleValue)"
            raise ImageError("unreadable", said)
        scaled = (samples.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        return np.clip(np.nan_to_num(scaled, posinf=0, neginf=0), 0, 1)
    if bits > 16 or samples.dtype.kind not in "bu":
        raise ImageError("unreadable", f"{samples.dtype} numbers; save it as unsigned 8 or 16 bit")
    if bits in (8, 16) or page.photometric == PHOTOMETRIC.PALETTE:
        return samples
    dtype = np.uint16 if bits > 8 else np.uint8
    return (samples.astype(np.uint32) * np.iinfo(dtype).max // (2**bits - 1)).astype(dtype)


def _split_alpha(samples: np.ndarray, page: Any) -> Photograph:
    samples, profile = np.atleast_3d(samples), page.tags.valueof(PROFILE)
    count = samples.shape[2]
    colours = 3 if page.photometric in (PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE) and count >= 3 else 1
    pixels = np.ascontiguousarray(samples[..., :3] if colours == 3 else samples[..., 0])
    # some writers leave the tag out where the one further sample is alpha
    noted = page.extrasamples[0] if page.extrasamples else count == colours + 1
    if count <= colours or not noted:
        return Photograph(pixels, None, profile)
    alpha = np.ascontiguousarray(samples[..., colours])
    if page.extrasamples and noted == _ASSOCIATED:
        pixels = divide_by_alpha(pixels, alpha)
    return Photograph(pixels, alpha, profile)


def pixel_size(file: TiffFile, page: Any) -> float | None:
    """Return the micrometres from one pixel to the next, as OME, ImageJ or a resolution of microscopes note them."""
    described = html.unescape(file.ome_metadata or "")
    if found := re.search(r'PhysicalSizeX="([0-9.eE+-]+)"', described):
        unit = re.search(r'PhysicalSizeXUnit="([^"]+)"', described)
        return _positive(float(found[1]) * _micrometres_of(unit[1] if unit else "um"))
    across = page.resolution[0] if _X_RESOLUTION in page.tags else 0
    of_imagej = _micrometres_of(str((file.imagej_metadata or {}).get("unit")))
    is_known = np.isfinite(of_imagej)
    size = (of_imagej if is_known else {2: _INCH, 3: 10000}.get(page.resolutionunit, np.nan)) / (across or np.nan)
    of_object = size < MAX_OBJECT_PIXEL or (is_known and of_imagej != _INCH)  # ImageJ has inches of a print too
    return _positive(size) if of_object else None


def _micrometres_of(unit: str) -> float:
    """Return how many micrometres a unit is, NaN of none of length; ImageJ may escape it, as in `\\u00B5m`."""
    unescaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), unit)
    return TO_MICROMETRES.get(unescaped.strip().casefold(), np.nan)


def _positive(number: float) -> float | None:
    return float(number) if np.isfinite(number) and number > 0 else None
