import cv2
import numpy as np
import pytest
from skimage import data

from defocus_core.applications.fusion.homography import as_homography, frame_corners, map_points
from defocus_core.applications.fusion.registration import find_motion, seeming_motion
from defocus_core.applications.fusion.view import make_view
from defocus_core.blur.rendering import Scene, random_blob, render_focus_stack
from defocus_core.io.color import as_float

SHAPE = (400, 600)


@pytest.fixture(scope="module")
def stack():
    """Five shots of a photograph before another before a third."""
    near, middle, far = (
        cv2.resize(as_float(image()), SHAPE[::-1], interpolation=cv2.INTER_AREA)
        for image in (data.astronaut, data.chelsea, data.coffee)
    )
    rng = np.random.default_rng(0)
    image, disparity = far, np.zeros(SHAPE, np.float32)
    for front, depth, share in ((middle, 0.5, 0.4), (near, 1.0, 0.1)):
        mask = random_blob(SHAPE, rng, share=share)
        image, disparity = np.where(mask[..., None], front, image), np.where(mask, np.float32(depth), disparity)
    focuses = np.linspace(0, 1, 5).tolist()
    return render_focus_stack(
        Scene(image, disparity), focuses=focuses, sigma_per_disparity=6, layers=np.float32([0, 0.5, 1])
    )


def turned(*, degrees=(0, 0, 0), scale=1.0):
    """Return the homography of a camera of 900 pixels of focal length that turns and breathes."""
    height, width = SHAPE
    camera = np.array([[900, 0, width / 2], [0, 900, height / 2], [0, 0, 1]])
    larger = np.array([[scale, 0, width / 2 * (1 - scale)], [0, scale, height / 2 * (1 - scale)], [0, 0, 1]])
    matrix = camera @ cv2.Rodrigues(np.radians(degrees).astype(float))[0] @ np.linalg.inv(camera) @ larger
    return matrix / matrix[2, 2]


def seen_from(shot, matrix, rng):
    moved = cv2.warpPerspective(shot, matrix, SHAPE[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.clip(moved + rng.normal(0, 1.5, moved.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["breathing", "shrinking", "tilts"])
def test_corners_of_a_stack_that_breathes_by_a_fifth_or_tilts_by_two_degrees_are_found(stack, kind):
    rng = np.random.default_rng(1)
    count = len(stack)
    if kind == "tilts":
        motions = [turned(degrees=(0, 0, 0) if i == 0 else rng.uniform(-2, 2, 3), scale=1 + 0.01 * i) for i in range(5)]
    else:
        last = 1.2 if kind == "breathing" else 1 / 1.2
        motions = [turned(scale=1 + (last - 1) * i / (count - 1)) for i in range(count)]
    views = [make_view(seen_from(shot, matrix, rng)) for shot, matrix in zip(stack, motions, strict=True)]
    corners, before, apart = frame_corners(SHAPE), None, []
    for view, matrix in zip(views[1:], motions[1:], strict=True):
        found = find_motion(view, views[0], before=before)
        apart.append(np.abs(map_points(found, corners) - map_points(matrix, corners)).max())
        before = view, found
    assert max(apart) < 0.5
    assert apart[0] < 0.2  # of a shot whose neighbour is the reference


def test_the_simplest_model_that_explains_two_shots_is_taken(stack):
    rng = np.random.default_rng(2)
    reference, shot = stack[1], stack[2]
    sheared = np.array([[1.02, 0.015, 4], [0, 0.98, -3], [0, 0, 1]])
    for matrix, shape in ((turned(scale=1.03), (2, 3)), (sheared, (2, 3)), (turned(degrees=(2, -2, 0)), (3, 3))):
        found = find_motion(make_view(seen_from(shot, matrix, rng)), make_view(reference))
        assert found.shape == shape
    found = find_motion(make_view(seen_from(shot, turned(scale=1.03), rng)), make_view(reference))
    assert found[0, 0] == pytest.approx(found[1, 1], abs=1e-12)  # a similarity
    assert found[0, 1] == pytest.approx(-found[1, 0], abs=1e-12)


def test_a_large_shot_is_registered_in_a_smaller_view_and_its_own_pixels(stack):
    matrix = turned(degrees=(0.5, -0.5, 1), scale=1.05)
    shots = [seen_from(stack[2], matrix, np.random.default_rng(3)), stack[1]]
    large = [cv2.resize(shot, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC) for shot in shots]
    found = find_motion(*map(make_view, large))
    to_large = np.array([[3, 0, 1], [0, 3, 1], [0, 0, 1]])
    expected, corners = to_large @ matrix @ np.linalg.inv(to_large), frame_corners(large[0].shape[:2])
    assert np.abs(map_points(found, corners) - map_points(expected, corners)).max() < 2


def test_what_is_not_shown_registers_nothing(stack):
    """A frame of black pixels that shows nothing moves with the shot, and does not count."""
    matrix = np.array([[1, 0, 14], [0, 1, -9], [0, 0, 1.0]])
    moved = cv2.warpPerspective(stack[2], matrix, SHAPE[::-1])
    shown = cv2.warpPerspective(np.ones(SHAPE, np.uint8), matrix, SHAPE[::-1]) > 0
    found = find_motion(make_view(moved, shown), make_view(stack[1]))
    np.testing.assert_allclose(as_homography(found)[:2, 2], [14, -9], atol=0.3)


def test_what_shares_nothing_is_refused(scene):
    noise = np.random.default_rng(0).uniform(0, 1, scene.shape).astype(np.float32)
    with pytest.raises(ValueError, match="could not be registered"):
        find_motion(make_view(np.zeros_like(scene)), make_view(noise))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_a_shot_a_pixel_wide_or_high_is_refused(shape):
    view = make_view(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="could not be registered"):
        find_motion(view, view)


def test_a_registration_that_turns_a_shot_over_is_not_trusted():
    image = as_float(data.astronaut()[:200, :200])
    with pytest.raises(ValueError, match=r"could not be registered|cannot be trusted: scale .* correlation"):
        find_motion(make_view(np.ascontiguousarray(image[::-1])), make_view(image))


def test_a_registration_that_stretches_a_shot_one_way_is_not_trusted(stack):
    first = np.ascontiguousarray(stack[0])
    wide = cv2.resize(first, (720, 400), interpolation=cv2.INTER_AREA)[:, 60:660]
    with pytest.raises(ValueError, match=r"cannot be trusted: scale .*, stretch 1\.[12]"):
        find_motion(make_view(wide), make_view(first))


def test_a_shift_of_an_eighth_of_the_frame_is_found():
    image = as_float(data.astronaut())
    shot, reference = image[100:340, 60:460], image[130:370, 110:510]
    matrix = find_motion(make_view(shot), make_view(reference))
    np.testing.assert_allclose(matrix, [[1, 0, 50], [0, 1, 30]], atol=0.3)


def test_a_shot_that_is_moved_seems_so_and_one_that_is_not_does_not(stack):
    views = [make_view(shot) for shot in stack]
    assert [seeming_motion(one, other) for one, other in zip(views[1:], views, strict=False)] == [0] * 4
    moved = cv2.warpAffine(stack[1], np.float32([[1, 0, 7], [0, 1, -3]]), SHAPE[::-1], borderMode=cv2.BORDER_REFLECT)
    assert seeming_motion(make_view(moved), views[0]) == pytest.approx(7, abs=1.5)
    other = cv2.resize(data.rocket(), SHAPE[::-1])
    assert seeming_motion(make_view(other), views[0]) == np.inf
    assert seeming_motion(make_view(np.zeros_like(other)), make_view(np.zeros_like(other))) == 0
