"""Numbers of every pixel: `.npy` files of them, strips of them, and what a map must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

STRIP_ROWS = 256


def read_array(path: str | Path) -> np.ndarray:
    """Read numbers of every pixel from an `.npy` file, (H, W) float32; never unpickles.

    Raises
    ------
    ValueError
        If it holds anything but (H, W) real numbers.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (EOFError, ValueError) as error:
        raise ValueError(f"{path}: not an .npy file of numbers") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub" or values.ndim != 2:
        found = f"{values.dtype} of shape {values.shape}" if isinstance(values, np.ndarray) else "an archive"
        raise ValueError(f"{path}: expected an .npy file of (height, width) real numbers, found {found}")
    return values.astype(np.float32)


def shrunken_size(shape: tuple[int, ...], factor: float) -> tuple[int, int]:
    """Return width and height, one pixel at least, of an (H, W) or (H, W, C) array so many times smaller."""
    return max(1, round(shape[1] / factor)), max(1, round(shape[0] / factor))


def strips(height: int, rows: int = STRIP_ROWS) -> Iterator[slice]:
    """Yield the rows of an image of some height strip by strip: floats of a whole photograph would take much memory.

    Examples
    --------
    >>> list(strips(5, 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def check_map_fits(sigma: np.ndarray, image: np.ndarray) -> None:
    """Raise ValueError unless a map has the height and width of its image, and finite numbers."""
    if sigma.shape != image.shape[:2]:
        raise ValueError(f"a map of {sigma.shape} does not fit an image of {image.shape[:2]}")
    if not np.isfinite(sigma).all():
        raise ValueError("a map holds finite numbers, this one NaN or infinity")
