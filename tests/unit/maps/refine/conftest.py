import cv2
import numpy as np
import pytest


@pytest.fixture
def guide():
    image = np.random.default_rng(0).random((60, 80, 3), dtype=np.float32)
    return cv2.GaussianBlur(image, (0, 0), 2)


@pytest.fixture
def values():
    return np.random.default_rng(1).random((60, 80), dtype=np.float32)
