import numpy as np
import pytest

from defocus_core.io.write import write


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        write(tmp_path / "in" / f"{name}.png", rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    return tmp_path
