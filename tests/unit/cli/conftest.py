import numpy as np
import pytest
from skimage import data

from defocus_core.applications.fusion import decide
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.write import write


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        write(tmp_path / "in" / f"{name}.png", rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    return tmp_path


@pytest.fixture
def stack_folder(tmp_path, monkeypatch):
    """Write four shots of a photograph, focused from left to right and each moved a little, and a darker lighting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(decide, "estimate", lambda image, **_: np.ones(image.shape[:2], np.float32))
    image = as_float(data.astronaut()[:160, 80:280])
    soft = gaussian_blur(image, 3)
    for index in range(4):
        part = (np.arange(200) // 50 == index)[None, :, None]
        shot = np.roll(to_dtype(np.where(part, image, soft), np.uint8), 2 * index, 1)
        write(tmp_path / f"in/{index}.png", shot)
        write(tmp_path / f"dark/{index}.png", shot // 3)
    return tmp_path


@pytest.fixture
def pictures(tmp_path):
    """Files of three pictures, in two folders."""
    paths = [tmp_path / name for name in ("one/a.png", "one/b.tif", "two/a.png")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return paths
