import gc
import threading
import weakref

import cv2
import numpy as np
import pytest
import torch

from defocus_core.cli import parallel


def test_results_come_in_order_and_errors_with_their_item():
    def half(number):
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number // 2

    outcomes = list(parallel.run_each(half, range(6), jobs=3))
    assert [outcome() for outcome in outcomes[::2]] == [0, 1, 2]
    with pytest.raises(ValueError, match="3 is odd"):
        outcomes[3]()


def test_jobs_run_side_by_side_and_no_more_of_them():
    together = threading.Barrier(2, timeout=20)
    lock, running, most = threading.Lock(), [0], [0]

    def one(_):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        together.wait()  # returns only when two are here at once
        with lock:
            running[0] -= 1

    for outcome in parallel.run_each(one, range(6), jobs=2):
        outcome()
    assert most[0] == 2


def test_each_of_several_jobs_has_one_thread_and_afterwards_all_is_as_before():
    before = torch.get_num_threads(), cv2.getNumThreads()

    def threads(_):
        return torch.get_num_threads(), cv2.getNumThreads()

    assert {outcome() for outcome in parallel.run_each(threads, range(4), jobs=2)} == {(1, 1)}
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before
    assert {outcome() for outcome in parallel.run_each(threads, range(4), jobs=1)} == {before}
    assert {outcome() for outcome in parallel.run_each(threads, range(1), jobs=8)} == {before}


def test_jobs_below_one_are_refused():
    with pytest.raises(ValueError, match="jobs is at least 1, not 0"):
        list(parallel.run_each(print, [1], jobs=0))


def test_a_limit_holds_for_torch_and_opencv():
    before = torch.get_num_threads(), cv2.getNumThreads()
    try:
        parallel.limit_threads(1)
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (1, 1)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def test_an_error_that_is_told_holds_no_array():
    alive = []

    def one(_):
        pixels = np.zeros(4)
        alive.append(weakref.ref(pixels))
        raise ValueError(pixels.size)

    for outcome in parallel.run_each(one, range(6), jobs=2):
        with pytest.raises(ValueError, match="4"):
            outcome()
        del outcome
        gc.collect()
        last = sum(pixels() is not None for pixels in alive)
    assert last == 0
