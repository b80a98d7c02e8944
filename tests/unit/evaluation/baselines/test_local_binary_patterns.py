import numpy as np
import pytest

from defocus_core.evaluation.baselines import local_binary_patterns


def test_lbp_of_a_flat_image_is_zero_and_of_a_lone_dot_counts_its_neighbours():
    grey = np.zeros((31, 31), np.float32)
    assert local_binary_patterns.lbp(grey)[15, 15] == 0
    grey[15, 15] = -1.0
    values = local_binary_patterns.lbp(grey, window=3)
    assert values[15, 15] == pytest.approx(-1 / 9)
