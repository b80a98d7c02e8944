import cv2
import numpy as np
import pytest

from defocus_core.blur.rendering import Scene
from defocus_core.evaluation.experiments.setup import Setup
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.networks.storage import load_model


@pytest.fixture(scope="module")
def small_motorcycle():
    """A scene that stands in for the motorcycle: a photograph whose left side is near."""
    image = center_squares(80)[0]
    disparity = np.tile(np.repeat(np.float32([60, 30, 10]), (30, 25, 25)), (80, 1))
    return Scene(image, cv2.medianBlur(disparity, 5))


@pytest.fixture(scope="module")
def setup():
    return Setup(load_model("blurnet"), options={"step": 16, "refine": False})
