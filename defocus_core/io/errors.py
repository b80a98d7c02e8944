"""The error of a file that is no usable photograph."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import tifffile
from PIL import UnidentifiedImageError

FLOATING_POINT = "floating-point pixels; save it as 8 or 16 bit"


class ImageError(ValueError):
    """A file that cannot be used as a photograph; `reason` is one word for a manifest."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@contextlib.contextmanager
def decoder_errors(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into an ImageError that names the file."""
    try:
        yield
    except ImageError as error:
        raise ImageError(error.reason, f"{path}: {error}") from error.__cause__
    except UnidentifiedImageError as error:
        raise ImageError("unreadable", f"{path}: {_why_unidentified(path)}") from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        raise ImageError("truncated", f"{path}: damaged or truncated ({error})") from error


def _why_unidentified(path: Path) -> str:
    """Say why Pillow knows a file for no image."""
    try:
        with tifffile.TiffFile(path) as file:
            dtype = file.pages[0].dtype
            if dtype is not None and dtype.kind == "f":
                return FLOATING_POINT
    except Exception:  # tifffile, too, raises nearly anything on what is no TIFF
        pass
    return "not an image this can read"
