"""Scores without a truth, where their packages are installed."""

import numpy as np
import pytest
from skimage import data

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation import no_reference
from defocus_core.io.color import as_float, to_grey


@pytest.fixture(scope="module")
def image():
    return as_float(data.astronaut())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", no_reference.PACKAGES)
def test_blur_is_worse_and_grey_is_like_colour(image, name):
    if name not in no_reference.available_scores():
        pytest.skip(f"{no_reference.PACKAGES[name]} is not installed: requirements-scores.txt")
    score = no_reference.load_score(name)
    sharp = score(image)
    assert isinstance(sharp, float)
    assert score(gaussian_blur(image, 3)) > 1.3 * sharp
    grey = np.repeat(to_grey(image)[:, :, None], 3, 2)
    assert score(grey) == pytest.approx(sharp, rel=0.05)


def test_scikit_images_score_is_always_there():
    assert "blur_effect" in no_reference.available_scores()


def test_an_unknown_score_is_named():
    with pytest.raises(ValueError, match="no score 'musiq'; known: blur_effect, brisque, niqe, piqe"):
        no_reference.load_score("musiq")
