from datetime import datetime, timedelta

import numpy as np
from skimage import data

from defocus_core.applications.score.bursts import group_bursts, perceptual_hash
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import as_float

IMAGES = [as_float(data.astronaut()), as_float(data.chelsea())]
NOON = datetime(2026, 6, 1, 12)


def test_blur_hardly_changes_a_hash_and_another_photograph_does():
    one, blurred, other = map(perceptual_hash, (IMAGES[0], gaussian_blur(IMAGES[0], 4), IMAGES[1]))
    assert np.count_nonzero(one != blurred) <= 2
    assert np.count_nonzero(one != other) > 16


def test_what_looks_alike_is_a_burst_where_no_time_is_known():
    hashes = [perceptual_hash(IMAGES[index]) for index in (0, 0, 1, 0)]
    assert group_bursts(hashes, [None] * 4) == [0, 0, 1, 0]


def test_a_burst_is_told_by_time_where_it_is_known():
    hashes = [perceptual_hash(IMAGES[0])] * 4
    times = [NOON + timedelta(seconds=seconds) for seconds in (60, 0, 5, 63)]
    assert group_bursts(hashes, times) == [1, 0, 0, 1]


def test_nothing_has_no_burst():
    assert group_bursts([], []) == []


def test_a_clock_that_was_never_set_is_no_error():
    one = np.zeros(64, bool)
    assert group_bursts([one, one], [datetime(2026, 1, 1), datetime(1, 1, 1)]) == [1, 0]


def test_a_photograph_of_unknown_time_tears_no_burst():
    hashes = [perceptual_hash(IMAGES[index]) for index in (0, 0, 0, 1)]
    times = [NOON + timedelta(seconds=seconds) for seconds in (16, 0, 8)]
    assert group_bursts(hashes, [*times, None]) == [0, 0, 0, 1]
    assert group_bursts(hashes[::-1], [None, *times]) == [1, 0, 0, 0]
