"""The error of a file that is no usable photograph."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from PIL import UnidentifiedImageError


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
    except MemoryError:
        raise
    except ImageError as error:
        raise ImageError(error.reason, f"{path}: {error}") from error.__cause__
    except UnidentifiedImageError as error:
        raise ImageError("unreadable", f"{path}: not an image this can read") from error
    except Exception as error:  # decoders raise nearly anything on damaged files
        if isinstance(error, OSError) and error.strerror:  # of the system, not of a decoder
            raise ImageError("unreadable", f"{path}: cannot be read: {error.strerror}") from error
        raise ImageError("truncated", f"{path}: damaged or truncated ({error})") from error


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise ImageError where an image has more pixels than may be decoded."""
    if width * height > max_pixels:
        raise ImageError("huge", f"{width}x{height} pixels, more than the limit of {max_pixels}")


def check_one(count: int) -> int:
    """Return the place of a file's only picture; raise ImageError where it has several."""
    if count > 1:
        raise ImageError("unreadable", f"{count} pictures in one file; choose one by --z, --channel, --time, or fuse")
    return 0
