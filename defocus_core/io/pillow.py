"""Open image headers with Pillow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

_LOCK = threading.RLock()


@contextmanager
def without_size_limit() -> Iterator[None]:
    """Lift Pillow's limit on pixels while a header is read; `read` checks the size itself.

    The limit is a variable of the whole process, so it is lifted for as short as possible, by one thread at a
    time, and put back.
    """
    with _LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
