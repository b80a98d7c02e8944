"""Write photographs, with the metadata of another file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from defocus_core.io import atomic
from defocus_core.io.color import to_dtype
from defocus_core.io.listing import IMAGE_SUFFIXES
from defocus_core.io.metadata import TIFF_SUFFIXES, save_options
from defocus_core.io.pages import picture_indices
from defocus_core.io.pillow import without_size_limit
from defocus_core.io.sixteen_bit import write_sixteen_bit

_SIXTEEN_BIT_SUFFIXES = (".png", *TIFF_SUFFIXES)


def check_suffix(path: str | Path, dtype: npt.DTypeLike = np.uint8) -> None:
    """Raise ValueError unless a file's suffix names a format that can be written with this bit depth."""
    suffix = Path(path).suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise ValueError(f"no format for {Path(path).name!r}; one of {', '.join(IMAGE_SUFFIXES)}")
    if dtype == np.uint16 and suffix not in _SIXTEEN_BIT_SUFFIXES:
        raise ValueError(f"{suffix} holds no 16 bit; write .png or .tif")


def write(path: str | Path, image: np.ndarray, *, like: str | Path | None = None) -> None:
    """Write an image, with the metadata of another file.

    Parameters
    ----------
    path : file to write; its suffix chooses the format
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 (PNG and TIFF only) or float in [0, 1]
        (written as 8 bit)
    like : photograph whose ICC profile, EXIF (orientation reset), resolution and descriptive XMP are kept

    Raises
    ------
    ValueError
        If the suffix names no known format, or cannot hold 16 bit.

    Examples
    --------
    A float image is written as 8 bit; 16 bit survive in PNG and TIFF.

    >>> import numpy as np
    >>> from defocus_core import read, write
    >>> write("grey.png", np.array([[0.0, 0.5, 1.0]]))
    >>> read("grey.png").tolist()
    [[0, 128, 255]]
    >>> write("deep.tif", np.array([[0, 4095]], np.uint16))
    >>> read("deep.tif").tolist()
    [[0, 4095]]
    """
    path = Path(path)
    check_suffix(path, image.dtype)
    if np.issubdtype(image.dtype, np.floating):
        image = to_dtype(image, np.uint8)
    kept = _metadata_of(like, image, path.suffix.lower())
    if image.dtype == np.uint16:
        with atomic.replacing(path) as part:
            write_sixteen_bit(part, image, kept)
        return
    encoded = io.BytesIO()  # Pillow writes a JPEG itself, and says nothing where a disk is full
    options = _SAVE_OPTIONS.get(path.suffix.lower(), {})
    form = Image.registered_extensions()[path.suffix.lower()]
    Image.fromarray(image).save(encoded, form, **options, **kept)
    atomic.write_bytes(path, encoded.getbuffer())


def _metadata_of(like: str | Path | None, image: np.ndarray, suffix: str) -> dict:
    if like is None:
        return {}
    with without_size_limit(), Image.open(like) as source:
        source.seek(picture_indices(source)[0])
        return save_options(source, image, suffix)


_JPEG_OPTIONS = {"quality": 95, "subsampling": 0}
_SAVE_OPTIONS = {".jpg": _JPEG_OPTIONS, ".jpeg": _JPEG_OPTIONS, ".webp": {"quality": 95}}
