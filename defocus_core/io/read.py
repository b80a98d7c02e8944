"""Read photographs: 8 or 16 bit, grey or colour, with alpha or an EXIF rotation."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from defocus_core.io.errors import FLOATING_POINT, ImageError, decoder_errors
from defocus_core.io.pages import Page, picture_indices
from defocus_core.io.pillow import without_size_limit

MAX_PIXELS = 200_000_000
PHOTOMETRIC, PLANAR = 262, 284  # TIFF tags
GREY_OR_RGB = (0, 1, 2)  # white is zero, black is zero, RGB
PNG_GREY_ALPHA = 4  # colour type, which Pillow takes for colour where it has 16 bit

_UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def read(path: str | Path | Page, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a photograph, upright, without its alpha channel.

    Parameters
    ----------
    path : PNG, JPEG, TIFF, WebP or BMP file of one picture, or one of its `list_pages`
    max_pixels : largest width x height that is decoded; the size is read from the header

    Returns
    -------
    (H, W) or (H, W, 3) RGB array, uint8 or uint16, turned as its EXIF orientation says

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
    index = path.index if isinstance(path, Page) else None
    path = path.path if isinstance(path, Page) else Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no image file {str(path)!r}")
    # opened by its name, Pillow would map the file into memory: some TIFFs turn wrong
    with decoder_errors(path), path.open("rb") as file:
        header = file.read(26)
        with without_size_limit():
            picture = Image.open(file)
            picture.seek(_only_index(picture) if index is None else index)
        _check_usable(picture, max_pixels=max_pixels)
        if _is_sixteen_bit(picture, header):
            return _read_sixteen_bit(picture, header, path)
        return _read_eight_bit(picture)


def _only_index(picture: Image.Image) -> int:
    """Return the place of a file's only picture."""
    first, *others = picture_indices(picture)
    if others:
        raise ImageError("unreadable", f"{1 + len(others)} pictures in one file; save one, or fuse them")
    return first


def _check_usable(picture: Image.Image, *, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        raise ImageError("huge", f"{width}x{height} pixels, more than the limit of {max_pixels}")
    if picture.mode == "F":
        raise ImageError("unreadable", FLOATING_POINT)


def _is_sixteen_bit(picture: Image.Image, header: bytes) -> bool:
    """Say whether a picture has 16 bit a channel; PNG has its depth in the first bytes of the file."""
    if picture.mode.startswith("I"):
        return True
    if picture.format == "PNG":
        return header[24] == 16
    if isinstance(picture, TiffImageFile):
        return max(picture.tag_v2.get(258, (8,))) == 16
    return False


def _read_sixteen_bit(picture: Image.Image, header: bytes, path: Path) -> np.ndarray:
    tags = picture.tag_v2 if isinstance(picture, TiffImageFile) else {}
    if tags.get(PHOTOMETRIC, 1) not in GREY_OR_RGB:
        raise ImageError("unreadable", "16 bit in other colours; save it as grey or RGB")
    if tags.get(PLANAR) == 2 and len(picture.getbands()) > 1:
        raise ImageError("unreadable", "16 bit in separate planes; save it with interleaved channels")
    if picture.format == "PNG":
        with without_size_limit(), Image.open(path) as again:  # libpng would print what it finds
            again.verify()
    array = _decode_opencv(path, picture.tell())
    if array.dtype not in (np.uint8, np.uint16):
        raise ImageError("unreadable", f"{array.dtype} numbers; save it as unsigned 8 or 16 bit")
    if tags.get(PHOTOMETRIC) == 0:  # white is zero
        array = np.iinfo(array.dtype).max - array
    if array.ndim == 3:
        has_grey = array.shape[2] < 3 or (picture.format == "PNG" and header[25] == PNG_GREY_ALPHA)
        array = array[:, :, 0] if has_grey else array[:, :, 2::-1]
    turned = picture.format == "TIFF"  # OpenCV's TIFF decoder heeds the orientation itself
    orientation = 1 if turned else picture.getexif().get(ExifTags.Base.Orientation, 1)
    return np.ascontiguousarray(_UPRIGHT.get(orientation, lambda a: a)(array))


def _decode_opencv(path: Path, index: int) -> np.ndarray:
    """Return a picture of a file as OpenCV has it, which keeps to itself what it finds there."""
    before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        _, decoded = cv2.imreadmulti(str(path), start=index, count=1, flags=cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(before)
    if not decoded:
        raise ImageError("truncated", "damaged or truncated")
    return decoded[0]


def _read_eight_bit(picture: Image.Image) -> np.ndarray:
    picture = ImageOps.exif_transpose(picture)
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    return np.asarray(picture.convert(mode))
