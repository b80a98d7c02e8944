"""Write files that are either whole or not there: a temporary name, fsync, rename."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary file's name; it takes the place of `path` once the block has ended well.

    Parameters
    ----------
    path : file to write; its folder is made

    Yields
    ------
    path in the same folder, of the same suffix, for the block to write; where the block fails it is removed

    Raises
    ------
    OSError
        That names `path`, if it cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(8)}.part{path.suffix}")
    try:
        yield part
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        if str(error.filename or part) != str(part):
            raise
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_bytes(path: str | Path, data: bytes | memoryview) -> None:
    """Write a file, whole or not at all."""
    with replacing(path) as part:
        part.write_bytes(data)


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write an array as `.npy`, whole or not at all; arrays of objects are refused."""
    with replacing(path) as part, open(part, "w+b") as file:  # to a "wb" file numpy writes without errno
        np.save(file, array, allow_pickle=False)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
