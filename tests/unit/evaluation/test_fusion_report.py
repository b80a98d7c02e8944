import numpy as np
import pytest
from skimage import data

from defocus_core.applications.fusion.stack import fuse
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation.fusion_report import doubtful_seams, write_report
from defocus_core.io.color import as_float


@pytest.fixture(scope="module")
def fusion():
    image = as_float(data.astronaut()[:120, 100:260])
    soft = gaussian_blur(image, 3)
    left = np.arange(160)[None, :, None] < 80
    return fuse([np.where(left, image, soft), np.where(left, soft, image)])


def test_a_report_is_one_file_with_its_pictures_and_names(fusion, tmp_path):
    write_report(tmp_path / "r.html", fusion, names=["a<1>.png", "b.png"])
    page = (tmp_path / "r.html").read_text()
    assert page.count('<img src="data:image/png;base64,') >= 5
    assert "a&lt;1&gt;.png" in page
    assert "http" not in page


def test_the_seams_in_doubt_are_those_where_the_choice_matters():
    labels = np.zeros((200, 300), np.uint8)
    labels[:, 100:], labels[:, 200:] = 1, 2
    doubt = np.zeros((200, 300), np.float32)
    doubt[150:160, 95:105], doubt[20:30, 195:205], doubt[90:100, 20:30] = 0.5, 0.2, 0.9
    places = doubtful_seams(doubt, labels, count=5, side=40)
    assert len(places) == 2
    assert np.abs(np.subtract(places, [(155, 100), (25, 200)])).max() < 8


def test_a_report_of_a_very_thin_picture_is_made(tmp_path):
    shots = np.random.default_rng(0).integers(0, 255, (2, 1, 2500), dtype=np.uint8)
    write_report(tmp_path / "r.html", fuse([*shots]), names=["a.png", "b.png"])
    assert (tmp_path / "r.html").is_file()
