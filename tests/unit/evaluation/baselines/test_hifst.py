from pathlib import Path

import numpy as np
import pytest

from defocus_core.evaluation.baselines import hifst
from defocus_core.io.color import to_grey
from defocus_core.io.read import read

CUHK = Path(__file__).parents[4] / "data/cuhk"


def test_hifst_takes_the_least_high_frequencies_of_every_scale():
    gradient = np.random.default_rng(0).random((3, 5), dtype=np.float32)
    got = hifst._layers(gradient, 2)
    assert got.shape == (2, 3, 117)
    padded = np.pad(gradient, 31)
    magnitudes = []
    for side in hifst.SIDES:
        patch = padded[2 + 31 - side // 2 :, 4 + 31 - side // 2 :][:side, :side]
        coefficients = np.abs(dct_by_definition(patch))
        magnitudes += [coefficients[u, v] for u in range(side) for v in range(side) if u + v >= side - 1]
    np.testing.assert_allclose(got[1, 2], np.sort(magnitudes)[:117], atol=1e-5)


def dct_by_definition(patch):
    """The orthonormal DCT-II by its definition."""
    side = len(patch)
    u, x = np.mgrid[:side, :side]
    basis = np.sqrt(2 / side) * np.cos(np.pi * (2 * x + 1) * u / (2 * side))
    basis[0] /= np.sqrt(2)
    return basis @ patch @ basis.T


@pytest.mark.skipif(not CUHK.is_dir(), reason="the CUHK photographs and the authors' maps are not under data/")
def test_hifst_is_the_authors_map():
    grey = to_grey(read(CUHK / "images/out_of_focus0050.jpg"))
    published = to_grey(read(CUHK / "peer_maps/hifst/out_of_focus0050.png"))
    assert np.corrcoef(-hifst.hifst(grey).ravel(), published.ravel())[0, 1] > 0.99
