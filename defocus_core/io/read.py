"""Read photographs as they come: one reader for each family of files, chosen by content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from defocus_core.io import readers, tiff, video
from defocus_core.io.errors import check_one, decoder_errors
from defocus_core.io.pages import Page, family
from defocus_core.io.photograph import Photograph
from defocus_core.io.pillow import read_by_pillow

MAX_PIXELS = 200_000_000


def read(path: str | Path | Page, *, max_pixels: int = MAX_PIXELS, half_size: bool = False) -> np.ndarray:
    """Read a photograph, upright, without its alpha channel.

    Parameters
    ----------
    path : file of one picture (PNG, JPEG, TIFF, WebP, BMP, OpenEXR, HEIC, AVIF or RAW), or one of its `list_pages`
    max_pixels : largest width x height that is decoded; the size is read from the header
    half_size : develop a RAW file in half its size, four times as fast

    Returns
    -------
    (H, W) or (H, W, 3) RGB array, uint8 or uint16, or float32 in [0, 1] of files in floating point, turned as
    its EXIF orientation says

    Raises
    ------
    ImageError
        With reason `unreadable`, `truncated` or `huge`.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import numpy as np
    >>> from defocus_core import read, write
    >>> write("colour.png", np.zeros((4, 6, 3), np.uint8))
    >>> read("colour.png").shape
    (4, 6, 3)
    >>> read("absent.png")
    Traceback (most recent call last):
    FileNotFoundError: no image file 'absent.png'
    """
    return read_photograph(path, max_pixels=max_pixels, half_size=half_size).pixels


def read_for_measuring(path: str | Path | Page, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read the pixels in which blur is measured: sRGB, filled where alpha is 0; else as `read`."""
    return read_photograph(path, max_pixels=max_pixels).for_measuring()


def read_photograph(path: str | Path | Page, *, max_pixels: int = MAX_PIXELS, half_size: bool = False) -> Photograph:
    """Read a photograph with its alpha channel, colour profile and pixel size; parameters and errors as of `read`."""
    path, index = (path.path, path.index) if isinstance(path, Page) else (Path(path), None)
    if not path.is_file():
        raise FileNotFoundError(f"no image file {str(path)!r}")
    with decoder_errors(path):
        with path.open("rb") as stream:
            kind = family(stream.read(32))
        if kind == "tiff":
            return _read_tiff(path, index, max_pixels=max_pixels, half_size=half_size)
        if kind == "raw":
            return readers.read_raw(path, max_pixels=max_pixels, half_size=half_size)
        if kind == "heif":
            return readers.read_heif(path, max_pixels=max_pixels)
        if kind == "exr":
            return readers.read_exr(path, max_pixels=max_pixels)
        if kind == "film":
            frame = check_one(video.count_film_frames(path)) if index is None else index
            return video.read_film_frame(path, frame, max_pixels=max_pixels)
        return read_by_pillow(path, index, max_pixels=max_pixels)


def _read_tiff(path: Path, index: int | None, *, max_pixels: int, half_size: bool) -> Photograph:
    with tiff.open_tiff(path) as file:
        if tiff.is_raw(file):
            return readers.read_raw(path, max_pixels=max_pixels, half_size=half_size)
        pictures = tiff.list_pictures(file)
        page = pictures[check_one(len(pictures)) if index is None else index].page.aspage()
        if not tiff.is_known(page):
            return read_by_pillow(path, page.index, max_pixels=max_pixels)
        found = tiff.decode(page, max_pixels=max_pixels).turned(tiff.orientation(page))
        return replace(found, pixel_size=tiff.pixel_size(file, page))
