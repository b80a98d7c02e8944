import numpy as np

from defocus_core.blur.levels import Levels


def test_levels_are_linear_or_geometric():
    assert Levels().nominal().tolist() == list(range(20))
    geometric = Levels(spacing="geometric", count=3, min_sigma=1, max_sigma=4).nominal()
    np.testing.assert_allclose(geometric, [1, 2, 4])
