"""Numbers of every pixel: `.npy` files of them, strips of them, and what a map must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
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


def fill_nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return an array whose unknown pixels have the value of the nearest known one.

    Parameters
    ----------
    values : (H, W) or (H, W, C)
    known : (H, W) bool, somewhere True

    Examples
    --------
    >>> fill_nearest(np.array([[1, 0, 0, 4]]), np.array([[True, False, False, True]])).tolist()
    [[1, 1, 4, 4]]
    """
    if known.all():
        return values
    hidden, kind = (~known).astype(np.uint8), cv2.DIST_LABEL_PIXEL
    nearest = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, 5, labelType=kind)[1]
    place = np.zeros(nearest.max() + 1, np.intp)
    place[nearest[known]] = np.flatnonzero(known)
    filled, pixels = np.empty_like(values), values.reshape(known.size, -1)
    for rows in strips(len(values)):
        filled[rows] = pixels[place[nearest[rows].ravel()]].reshape(filled[rows].shape)
    return filled


def check_map_fits(sigma: np.ndarray, image: np.ndarray) -> None:
    """Raise ValueError unless a map has the height and width of its image, pixels, and finite numbers."""
    if sigma.shape != image.shape[:2]:
        raise ValueError(f"a map of {sigma.shape} does not fit an image of {image.shape[:2]}")
    if not sigma.size:
        raise ValueError(f"a map needs at least one pixel, not shape {sigma.shape}")
    if not np.isfinite(sigma).all():
        raise ValueError("a map holds finite numbers, this one NaN or infinity")
