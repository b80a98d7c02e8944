"""Read photographs as they come: one reader for each family of files, chosen by content."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
from PIL import ExifTags, Image

from defocus_core.io import readers, tiff, video
from defocus_core.io.errors import ImageError, check_size, decoder_errors
from defocus_core.io.pages import Page, count_frames, family
from defocus_core.io.photograph import Photograph
from defocus_core.io.pillow import without_size_limit

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


def read_photograph(path: str | Path | Page, *, max_pixels: int = MAX_PIXELS, half_size: bool = False) -> Photograph:
    """Read a photograph with its alpha channel, colour profile and pixel size; parameters and errors as of `read`."""
    index = path.index if isinstance(path, Page) else None
    path = path.path if isinstance(path, Page) else Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no image file {str(path)!r}")
    with decoder_errors(path):
        with path.open("rb") as stream:
            head = stream.read(32)
        kind = family(head)
        if kind == "tiff":
            return _read_tiff(path, index, max_pixels=max_pixels, half_size=half_size)
        if kind == "raw":
            return readers.read_raw(path, max_pixels=max_pixels, half_size=half_size)
        if kind == "heif":
            return readers.read_heif(path, max_pixels=max_pixels)
        if kind == "exr":
            return readers.read_exr(path, max_pixels=max_pixels)
        if kind == "film":
            frame = _only(video.count_film_frames(path)) if index is None else index
            return video.read_film_frame(path, frame, max_pixels=max_pixels)
        return _read_by_pillow(path, index, head=head, max_pixels=max_pixels)


def _read_tiff(path: Path, index: int | None, *, max_pixels: int, half_size: bool) -> Photograph:
    with tiff.open_tiff(path) as file:
        if tiff.is_raw(file):
            return readers.read_raw(path, max_pixels=max_pixels, half_size=half_size)
        pictures = tiff.list_pictures(file)
        page = pictures[_only(len(pictures)) if index is None else index].page.aspage()
        found = tiff.decode(page, max_pixels=max_pixels)
        if found is None:
            return _read_by_pillow(path, page.index, head=b"", max_pixels=max_pixels)
        turned = found.turned(tiff.orientation(page))
        return Photograph(turned.pixels, turned.alpha, turned.profile, tiff.pixel_size(file, page))


def _only(count: int) -> int:
    """Return the place of a file's only picture."""
    if count > 1:
        raise ImageError("unreadable", f"{count} pictures in one file; save one, or fuse them")
    return 0


def _read_by_pillow(path: Path, index: int | None, *, head: bytes, max_pixels: int) -> Photograph:
    with path.open("rb") as stream:  # opened by its name, Pillow would map the file into memory: some turn wrong
        with without_size_limit():
            picture = Image.open(stream)
            picture.seek(_only(count_frames(picture)) if index is None else index)
        check_size(*picture.size, max_pixels)
        profile = None if picture.mode == "CMYK" else picture.info.get("icc_profile")
        upright = picture.getexif().get(ExifTags.Base.Orientation, 1)
        if picture.format == "PNG" and head[24] == 16:
            samples = imagecodecs.png_decode(path.read_bytes())
        else:
            samples = _decode(picture)
    if samples.ndim == 2:
        return Photograph(samples, None, profile).turned(upright)
    pixels, alpha = (samples[..., 0] if samples.shape[2] < 3 else samples[..., :3]), samples[..., -1]
    return Photograph(pixels, alpha if samples.shape[2] in (2, 4) else None, profile).turned(upright)


def _decode(picture: Image.Image) -> np.ndarray:
    """Return samples, (H, W) grey or (H, W, C), of whatever Pillow opens."""
    if picture.mode.startswith("I"):
        deep = np.asarray(picture)
        if deep.min() >= 0 and deep.max() < 2**16:
            return deep.astype(np.uint16)
    if picture.mode[0] in "FI":
        raise ImageError("unreadable", f"{picture.format} of mode {picture.mode}; save it as 8 or 16 bit PNG or TIFF")
    has_alpha = picture.has_transparency_data
    grey = picture.mode in ("1", "L", "LA", "La")
    target = ("LA" if grey else "RGBA") if has_alpha else ("L" if grey else "RGB")
    return np.asarray(picture.convert(target))
