import cv2
import numpy as np
import pytest
from skimage import data

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.registration import find_motion
from defocus_core.applications.fusion.stack import fuse
from defocus_core.applications.fusion.view import make_view
from defocus_core.blur.kernels import gaussian_blur
from defocus_core.evaluation import metrics
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear


def defocused(image, sigma):
    """Blur in linear light, as a lens does."""
    return linear_to_srgb(gaussian_blur(srgb_to_linear(image), sigma))


MATRIX = np.float32([[1.01, 0.01, -3.4], [-0.008, 1.006, 2.3]])


def moved(image):
    size, border = image.shape[1::-1], cv2.BORDER_REFLECT_101
    return np.clip(cv2.warpAffine(image, MATRIX, size, flags=cv2.INTER_CUBIC, borderMode=border), 0, 1)


def test_a_moved_and_defocused_shot_is_brought_back(scene):
    shot = defocused(moved(scene), 2)
    found = Alignment(find_motion(make_view(shot), make_view(scene)))
    corners = np.float32([[20, 20, 1], [300, 20, 1], [20, 300, 1], [300, 300, 1]])
    assert np.abs(corners @ (found.matrix - MATRIX).T).max() < 0.15
    inside = (slice(20, -20), slice(20, -20))
    assert metrics.psnr(found.apply(moved(scene))[inside], scene[inside]) > 30


def breathing(scene, *, count, rate, slope):
    """Return shots whose focus goes from left to right, each enlarged a little more, and what moved them."""
    height, width = scene.shape[:2]
    blurred = np.stack([defocused(scene, slope * step) for step in range(count)])
    columns, nearest = np.arange(width), np.linspace(0, count - 1, width)
    shots, matrices = [], []
    for index in range(count):
        away = np.rint(np.abs(nearest - index)).astype(int)
        shot = np.ascontiguousarray(blurred[away, :, columns].swapaxes(0, 1))
        matrices.append(cv2.getRotationMatrix2D((width / 2, height / 2), 0, 1 + rate * index))
        shot = cv2.warpAffine(shot, matrices[-1], (width, height), borderMode=cv2.BORDER_REFLECT_101)
        shots.append(np.clip(shot, 0, 1))
    return shots, matrices


def test_a_shot_that_shares_too_little_with_the_first_is_led_to_it_by_the_one_before():
    bricks = as_float(data.brick()[40:360, 60:380])
    shots, matrices = breathing(bricks, count=16, rate=0.003, slope=0.5)
    corners = np.float32([[0, 0, 1], [320, 0, 1], [0, 320, 1], [320, 320, 1]])
    first, *views = map(make_view, shots)
    before = None
    for view, matrix in zip(views, matrices[1:], strict=True):
        found = find_motion(view, first, before=before)
        assert np.abs(corners @ (found - matrix).T).max() < 0.5
        before = view, found
    with pytest.raises(ValueError, match=r"share too little|cannot be trusted"):
        find_motion(views[-1], first)


def test_no_pixel_comes_from_outside_the_frame_of_its_shot(scene):
    shots, matrices = breathing(scene, count=8, rate=0.006, slope=1)
    found = fuse(shots, register=True)
    y, x = np.mgrid[:320, :320]
    for index, matrix in enumerate(matrices):
        place = np.stack([x, y, np.ones_like(x)], 2)[found.labels == index] @ matrix.T
        assert ((place > -1) & (place < 320)).all()
    assert (found.labels == 7).any()
    assert (found.labels[:, -1] != 7).all()


def test_a_pixel_is_inside_where_the_shot_saw_it():
    inside = Alignment(np.float32([[1, 0, 3], [0, 1, -2]])).inside((6, 8))
    assert inside.sum(0).tolist() == [4, 4, 4, 4, 4, 0, 0, 0]
    assert not inside[:2].any()
    assert Alignment().inside((6, 8)).all()


@pytest.mark.parametrize("shape", [(1, 1200), (2, 1500), (1500, 2, 3), (1, 1, 3)])
def test_thin_shots_fuse(shape):
    shots = np.random.default_rng(0).integers(0, 255, (2, *shape), dtype=np.uint8)
    assert fuse([*shots]).image.shape == shape


def test_no_pixel_is_mirrored_from_beyond_a_border_one_pixel_away(scene):
    shifted = Alignment(np.float32([[1, 0, -1], [0, 1, 0]]))
    found = fuse([defocused(scene, 4), scene[:, 1:]], alignments=[Alignment(), shifted], crop=True)
    assert found.frame.left == 1


def test_nothing_asked_changes_nothing(scene):
    assert np.array_equal(Alignment().apply(scene), scene)


def test_unregistered_shots_of_other_exposure_fuse(scene):
    soft = defocused(scene, 4)
    near, far = scene.copy(), scene.copy()
    near[:, 160:], far[:, :160] = soft[:, 160:], soft[:, :160]
    far = linear_to_srgb(srgb_to_linear(moved(far)) * np.float32(0.7))
    plain = fuse([near, far], match_exposure=False)
    aligned = fuse([near, far], register=True, match_exposure=True)
    inside = (slice(20, -20), slice(20, -20))
    scores = [metrics.psnr(fusion.image[inside], scene[inside]) for fusion in (plain, aligned)]
    assert scores[1] > scores[0] + 8
    assert scores[1] > 30
