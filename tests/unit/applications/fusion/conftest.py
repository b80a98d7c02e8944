import pytest
from skimage import data

from defocus_core.io.color import as_float


@pytest.fixture(scope="module")
def scene():
    return as_float(data.astronaut()[:320, 100:420])
