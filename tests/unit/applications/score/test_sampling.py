import numpy as np
from skimage import data

from defocus_core.applications.score import sampling
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import as_float

ASTRONAUT = as_float(data.astronaut())


def test_a_small_photograph_is_measured_whole():
    found = sampling.sample_map(ASTRONAUT[:100, :120])
    assert found.cell == 1
    assert found.sigma.shape == (100, 120)
    assert found.known.all()


def test_the_sharp_part_of_a_large_blurred_photograph_is_looked_at_in_full_size():
    large = np.tile(gaussian_blur(ASTRONAUT, 3), (2, 3, 1))
    large[512:768, 1024:1280] = ASTRONAUT[100:356, 100:356]
    found = sampling.sample_map(large)
    assert found.cell > 1
    evident = found.evident & found.known
    row, column = np.unravel_index(np.argmin(np.where(evident, found.sigma, np.inf)), evident.shape)
    assert 512 <= row * found.cell < 768
    assert 1024 <= column * found.cell < 1280
    assert found.sigma[evident].min() < 0.5
    far = found.sigma[: 400 // found.cell, : 400 // found.cell]
    assert 2 < np.median(far[found.evident[: 400 // found.cell, : 400 // found.cell]]) < 4


def test_what_is_not_asked_for_has_no_evidence():
    within = np.zeros((100, 120), bool)
    within[:, :40] = True
    found = sampling.sample_map(ASTRONAUT[:100, :120], within=within)
    assert found.evident.any()
    assert not found.evident[:, 40:].any()


def test_tiles_cover_a_length_to_its_end():
    assert sampling._starts(100, 32) == [0, 32, 64, 68]
    assert sampling._starts(64, 32) == [0, 32]
    assert sampling._starts(20, 32) == [0]


def test_a_box_between_the_middles_of_cells_is_measured():
    large = np.tile(gaussian_blur(ASTRONAUT, 1.5), (3, 3, 1))
    for left in (700, 701, 702, 703):
        within = np.zeros(large.shape[:2], bool)
        within[300:360, left : left + 2] = True
        found = sampling.sample_map(large, within=within)
        assert found.cell > 1
        assert found.evident.any()
