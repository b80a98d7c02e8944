"""One function over many items, each on a core of its own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import cv2
import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_threads(threads: int) -> None:
    """Let the operations of torch and OpenCV use so many threads in this process."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)


def run_each(
    one: Callable[[Item], Result], items: Sequence[Item], *, jobs: int | None = None
) -> Iterator[Callable[[], Result]]:
    """Run a function on every item, as many at a time as there are jobs; yield the outcomes in order.

    With several jobs each has one thread, for images side by side use the cores better than threads within
    an image do. At most `jobs` items are being worked on, so that memory does not grow with their
    number. OpenCV and torch release the interpreter's lock, so that threads suffice.

    Parameters
    ----------
    one : function of an item
    items : any sequence
    jobs : at least 1; None is one a core. With one job, or one item, that item has all the threads.

    Yields
    ------
    function without arguments that returns the item's result or raises its error

    Raises
    ------
    ValueError
        If jobs is below 1.
    """
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs is at least 1, not {jobs}")
    jobs = min(jobs or usable_cores(), len(items))
    if jobs <= 1:
        yield from (partial(one, item) for item in items)
        return
    with (
        _single_threaded(),
        ThreadPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        waiting = deque(pool.submit(one, item) for item in items)
        try:
            while (
                waiting
            ):  # an outcome is let go of once it is told: the error of one holds the arrays it was raised among
                yield waiting.popleft().result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Give the operations of torch and OpenCV one thread, and back what they had."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    limit_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
