import numpy as np
import pytest
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation.benchmark_sets import pair_images
from defocus_core.io.color import as_float
from defocus_core.io.write import write


@pytest.fixture
def pair(tmp_path):
    write(tmp_path / "photographs/a.png", np.arange(12, dtype=np.uint8).reshape(3, 4) * 20)
    write(tmp_path / "masks/a.png", np.uint8([[0, 0, 255, 255]] * 3))
    return pair_images(tmp_path / "photographs", tmp_path / "masks")[0]


@pytest.fixture(scope="module")
def scene():
    return as_float(data.astronaut()[:128, 150:300])


@pytest.fixture(scope="module")
def shots(scene):
    soft, left, right = gaussian_blur(scene, 3), scene.copy(), scene.copy()
    left[:, 75:], right[:, :75] = soft[:, 75:], soft[:, :75]
    return [left, right]
