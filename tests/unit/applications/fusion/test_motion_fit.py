import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from defocus_core.applications.fusion.homography import corner_distance
from defocus_core.applications.fusion.motion_fit import fit_motion
from defocus_core.applications.fusion.view import make_view
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear


@pytest.fixture(scope="module")
def light():
    return srgb_to_linear(as_float(data.coffee()[:320, 100:420]))


def shifted(light, across, down):
    """Shift light by splines, which keep edges where they are."""
    return ndimage.shift(light, (down, across, 0), order=3, mode="mirror")


def view_of(light):
    return make_view(linear_to_srgb(np.clip(light, 0, 1).astype(np.float32)))


def translation(across, down):
    return np.array([[1, 0, across], [0, 1, down], [0, 0, 1.0]])


@pytest.mark.parametrize("shift", [(0.3, -0.3), (2.5, 1.25)])
def test_a_shift_is_found_to_a_fiftieth_of_a_pixel(light, shift):
    found, _ = fit_motion(view_of(shifted(light, *shift)), view_of(light), np.eye(3))
    assert corner_distance(found, translation(*shift), light.shape[:2]) < 0.05


def test_blur_that_differs_from_place_to_place_moves_nothing(light):
    blurred = gaussian_blur(light, 3)
    left, right = light.copy(), light.copy()
    left[:, 160:], right[:, :160] = blurred[:, 160:], blurred[:, :160]
    found, _ = fit_motion(view_of(shifted(right, 2, -1)), view_of(left), np.eye(3))
    assert corner_distance(found, translation(2, -1), light.shape[:2]) < 0.1


def test_light_that_falls_off_toward_a_side_moves_nothing(light):
    found, _ = fit_motion(view_of(light * np.linspace(0.4, 1, 320)[:, None]), view_of(light), np.eye(3))
    assert corner_distance(found, np.eye(3), light.shape[:2]) < 0.1


def test_a_plain_reference_is_refused(light):
    with pytest.raises(ValueError, match="hardly an edge"):
        fit_motion(view_of(light), view_of(np.full_like(light, 0.3)), np.eye(3))
