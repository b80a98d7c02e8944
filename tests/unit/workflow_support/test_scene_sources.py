import re

import numpy as np
import pytest
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import as_float, to_grey
from defocus_core.io.write import write
from defocus_core.networks.storage import load_model
from workflow_support.scene_sources import read_sharp_photographs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sharp photograph, the same far out of focus, a small part of it, and a silhouette of the first."""
    folder, sharp = tmp_path_factory.mktemp("scenes"), as_float(data.gravel())[:300, :300]
    write(folder / "set/sharp.png", sharp)
    write(folder / "set/blurred.png", gaussian_blur(sharp, 4))
    write(folder / "set/small.png", np.ascontiguousarray(sharp[:120, :120]))
    people = np.zeros((300, 300), np.uint8)
    people[50:250, 80:220] = 255
    write(folder / "people/set/sharp.png", people)
    write(folder / "people/other/sharp.png", people[:10])
    return folder


def read_them(folder, silhouettes):
    return read_sharp_photographs(
        sorted((folder / "set").iterdir()),
        judge=load_model("scenenet"),
        min_sharp_fraction=0.8,
        min_side=128,
        silhouettes=silhouettes,
    )


def test_large_sharp_photographs_are_read_with_their_silhouettes(folder):
    (found,) = read_them(folder, sorted((folder / "people").rglob("*.png")))
    np.testing.assert_allclose(found.grey, to_grey(as_float(data.gravel())[:300, :300]), atol=0.003)
    assert (found.people > 0).sum() == 200 * 140
    (alone,) = read_them(folder, [])
    assert alone.people is None


def test_a_silhouette_that_does_not_fit_is_named(folder, tmp_path):
    write(tmp_path / "set/sharp.png", np.full((10, 300), 255, np.uint8))
    said = f"{tmp_path / 'set/sharp.png'}: a silhouette of (10, 300) for a photograph of (300, 300)"
    with pytest.raises(ValueError, match=re.escape(said)):
        read_them(folder, [tmp_path / "set/sharp.png"])
