"""Memory of this process: what is freed stays with it."""

from __future__ import annotations

import ctypes

MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2  # of mallopt(3)
MAX_INT = 2**31 - 1  # bytes
HEAP_STEP = 2**26  # bytes by which the heap grows


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory for the next allocation, where it is glibc.

    By default it gives large blocks back at once, and each step of a training faults thousands of pages in
    anew. The process then holds on to the most that it ever had.

    Returns
    -------
    whether it took effect
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    options = ((MMAP_MAX, 0), (TRIM_THRESHOLD, MAX_INT), (TOP_PAD, HEAP_STEP))
    return all(library.mallopt(option, value) == 1 for option, value in options)
