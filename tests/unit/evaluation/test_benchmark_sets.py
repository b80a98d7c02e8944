import numpy as np
import pytest

from defocus_core.evaluation.benchmark_sets import BenchmarkSetError, pair_images
from defocus_core.io.write import write


def test_two_pictures_of_one_stem_are_refused(tmp_path, pair):
    write(tmp_path / "masks/a.tif", np.zeros((3, 4), np.uint8))
    with pytest.raises(BenchmarkSetError, match=r"masks: a.png and a.tif have one stem"):
        pair_images(tmp_path / "photographs", tmp_path / "masks")
    write(tmp_path / "photographs/a.jpg", np.zeros((3, 4), np.uint8))
    (tmp_path / "masks/a.tif").unlink()
    with pytest.raises(BenchmarkSetError, match=r"photographs: a.jpg and a.png have one stem"):
        pair_images(tmp_path / "photographs", tmp_path / "masks")
