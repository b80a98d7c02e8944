import cv2
import numpy as np
import pytest

from defocus_core.blur.kernels import (
    BORDERS,
    aperture_kernel,
    blur_matrix,
    disk_blur,
    effective_sigma,
    gaussian_blur,
    gaussian_kernel,
    motion_blur,
)
from defocus_core.blur.levels import Levels


@pytest.mark.parametrize("sigma", [1, 3, 7, 19])
@pytest.mark.parametrize("border", BORDERS)
def test_patch_operator_is_opencvs_blur_of_an_isolated_patch(sigma, border):
    patch = np.random.default_rng(0).random((32, 32), dtype=np.float32)
    matrix = blur_matrix(32, sigma, kernel="paper", border=border)
    expected = cv2.GaussianBlur(patch, (2 * sigma + 1, 2 * sigma + 1), sigma, borderType=BORDERS[border])
    np.testing.assert_allclose(matrix @ patch @ matrix.T, expected, atol=1e-6)


def test_full_kernel_has_its_nominal_sigma_and_the_papers_about_half():
    assert effective_sigma(5, "full") == pytest.approx(5, rel=2e-3)
    assert effective_sigma(19, "paper") == pytest.approx(19 / 1.81, rel=0.01)
    assert effective_sigma(1, "paper") == pytest.approx(np.sqrt(2 * np.exp(-0.5) / (1 + 2 * np.exp(-0.5))))


def test_an_impulse_spreads_to_the_nominal_variance():
    image = np.zeros((101, 101), np.float32)
    image[50, 50] = 1
    blurred = gaussian_blur(image, 4)
    rows = np.arange(101) - 50
    assert (blurred.sum(1) * rows**2).sum() == pytest.approx(16, rel=5e-3)


@pytest.mark.parametrize("sigma", [0.6, 1.0, 2.5, 10.0])
def test_a_disk_has_its_standard_deviation_and_an_edge(sigma):
    impulse = np.zeros((65, 65), np.float32)
    impulse[32, 32] = 1
    spread = disk_blur(impulse, sigma)
    offsets = np.arange(65) - 32
    np.testing.assert_allclose(spread.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt((spread.sum(0) * offsets**2).sum()), sigma, rtol=0.03)
    assert np.abs(spread[32, 32 + int(np.ceil(2 * sigma)) + 1 :]).max() < 1e-6


def test_a_disk_too_small_for_pixels_is_a_gaussian():
    photograph = np.random.default_rng(1).random((20, 20), dtype=np.float32)
    np.testing.assert_array_equal(disk_blur(photograph, 0.5), gaussian_blur(photograph, 0.5))


@pytest.mark.parametrize("sigma", [-1, np.nan, np.inf])
def test_impossible_sigma_is_refused(sigma):
    with pytest.raises(ValueError, match="finite number of pixels"):
        gaussian_kernel(sigma)


def test_unknown_names_are_refused_with_the_choices():
    with pytest.raises(ValueError, match="paper, full"):
        gaussian_kernel(1, "half")
    with pytest.raises(ValueError, match="mirror, replicate, zero"):
        blur_matrix(32, 1, border="wrap")
    with pytest.raises(ValueError, match="'linear', 'geometric'"):
        Levels(spacing="cubic")


def test_any_numbers_are_blurred_as_float32_and_no_other_sigma_passes():
    image = np.random.default_rng(0).random((20, 30))
    for blurred in (gaussian_blur(image, 1), gaussian_blur(image, 0), disk_blur(image, 2)):
        assert blurred.dtype == np.float32
    for method in (gaussian_blur, disk_blur):
        for sigma in (-1, np.nan):
            with pytest.raises(ValueError, match="sigma is a finite number"):
                method(image, sigma)
    with pytest.raises(ValueError, match="no border 'wrap'"):
        gaussian_blur(image, 0, border="wrap")


@pytest.mark.parametrize("sigma", [1.0, 3.0, 9.0])
@pytest.mark.parametrize(("blades", "cut"), [(0, 0.0), (5, 0.0), (0, 0.4), (7, 0.3)])
def test_an_aperture_of_any_shape_is_centred_and_has_its_sigma(sigma, blades, cut):
    kernel = aperture_kernel(sigma, blades=blades, turn=0.7, cut=cut)
    y, x = np.indices(kernel.shape) - kernel.shape[0] // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert np.sqrt((kernel * (x**2 + y**2)).sum() / 2) == pytest.approx(sigma, rel=0.03)
    assert np.hypot((kernel * x).sum(), (kernel * y).sum()) < 0.25


def test_a_round_aperture_is_a_disk_and_a_cats_eye_is_narrow_where_the_barrel_cuts():
    disk, cut = aperture_kernel(4), aperture_kernel(4, cut=0.4)
    widths = [np.count_nonzero(kernel.sum(axis) > 1e-6) for kernel in (disk, cut) for axis in (0, 1)]
    assert widths[0] == widths[1]
    assert widths[2] < 0.8 * widths[3]


def test_an_aperture_finer_than_pixels_is_refused():
    with pytest.raises(ValueError, match=r"from sigma 0.6 on, not 0.3"):
        aperture_kernel(0.3)


@pytest.mark.parametrize("sigma", [0.5, 1, 4])
@pytest.mark.parametrize("angle", [0, 0.7, np.pi / 2])
def test_motion_has_its_standard_deviation_along_its_angle(sigma, angle):
    point = np.zeros((81, 81), np.float32)
    point[40, 40] = 1
    kernel = motion_blur(point, sigma, angle)[::-1, ::-1]  # a correlation turns it
    assert motion_blur(point[:, :, None], sigma, angle).shape == (81, 81, 1)
    y, x = np.mgrid[-40:41, -40:41]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert np.sqrt((kernel * along**2).sum()) == pytest.approx(sigma, rel=0.06)
    assert (kernel * across**2).sum() < 0.6**2


@pytest.mark.parametrize("blur", [gaussian_blur, disk_blur])
@pytest.mark.parametrize("sigma", [0, 0.5, 3])
def test_a_blur_keeps_the_shape_of_one_channel(blur, sigma):
    assert blur(np.zeros((9, 8, 1), np.float32), sigma).shape == (9, 8, 1)
