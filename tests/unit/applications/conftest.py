import pytest
from skimage import data

from defocus_core.io.color import as_float


@pytest.fixture(scope="module")
def image():
    return as_float(data.astronaut()[:128, 150:300])
