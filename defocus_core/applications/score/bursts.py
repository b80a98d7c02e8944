"""Find bursts: photographs of one moment, told by how alike they are and by when they were taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import cv2
import numpy as np

from defocus_core.io.color import to_grey

HASH_SIDE = 8
MAX_DISTANCE = 10  # of the 64 bits of two hashes
MAX_GAP = 10.0  # seconds


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """Return 64 bits that hardly change with sharpness, (64,) bool.

    Parameters
    ----------
    image : as for `estimate`

    References
    ----------
    Zauner, Implementation and benchmarking of perceptual image hash functions, 2010 (pHash).
    """
    side = 4 * HASH_SIDE
    waves = cv2.dct(cv2.resize(to_grey(image), (side, side), interpolation=cv2.INTER_AREA))
    low = waves[:HASH_SIDE, :HASH_SIDE].ravel()
    return low > np.median(low[1:])


def group_bursts(hashes: Sequence[np.ndarray], times: Sequence[datetime | None]) -> list[int]:
    """Return the burst of each photograph, numbered from 0 in the order of time; those of unknown time are last.

    A photograph is of the burst whose latest one it looks like, if it was taken within ten seconds of that, or if the
    time of one of them is not known.

    Parameters
    ----------
    hashes : of `perceptual_hash`
    times : when each was taken

    Examples
    --------
    >>> one, other = np.zeros(64, bool), np.ones(64, bool)
    >>> group_bursts([one, one, other], [None, None, None])
    [0, 0, 1]
    """
    order = sorted(range(len(hashes)), key=lambda index: (times[index] is None, times[index] or datetime.min))
    last: list[int] = []  # the latest photograph of each burst
    bursts: dict[int, int] = {}
    for index in order:
        alike = (number for number, other in enumerate(last) if _are_alike(hashes, times, other, index))
        bursts[index] = next(alike, len(last))
        last[bursts[index] : bursts[index] + 1] = [index]
    return [bursts[index] for index in range(len(hashes))]


def _are_alike(hashes: Sequence[np.ndarray], times: Sequence[datetime | None], one: int, other: int) -> bool:
    first, second = times[one], times[other]
    near = first is None or second is None or abs((second - first).total_seconds()) <= MAX_GAP
    return near and int(np.count_nonzero(hashes[one] != hashes[other])) <= MAX_DISTANCE
