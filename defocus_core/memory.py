"""Memory of this process: whether the C library keeps what is freed, or gives it back."""

from __future__ import annotations

import ctypes
import sys

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
    library = _glibc()
    options = ((MMAP_MAX, 0), (TRIM_THRESHOLD, MAX_INT), (TOP_PAD, HEAP_STEP))
    return library is not None and all(library.mallopt(option, value) == 1 for option, value in options)


def return_freed_memory() -> bool:
    """Give memory that was freed back, where the C library is glibc.

    By default it keeps freed blocks of up to 32 MB, which may be hundreds of megabytes after a large photograph.

    Returns
    -------
    whether any was given back
    """
    library = _glibc()
    return library is not None and library.malloc_trim(0) == 1


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
