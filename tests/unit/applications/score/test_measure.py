import numpy as np
import pytest
from skimage import data

from defocus_core.applications.score.measure import measure, region_of, score
from defocus_core.blur.kernels import gaussian_blur, motion_blur
from defocus_core.io.color import as_float

ASTRONAUT = as_float(data.astronaut())[:320, 100:420]


def test_the_number_follows_the_blur():
    sigmas = [0, 0.8, 1.5, 3, 6]
    found = [score(gaussian_blur(ASTRONAUT, sigma)) for sigma in sigmas]
    numbers = [entry.sharpest_sigma for entry in found]
    assert numbers == sorted(numbers)
    assert numbers[0] < 0.5
    assert numbers[2:] == pytest.approx(sigmas[2:], rel=0.3)
    assert found[0].in_focus_fraction > 0.5 > found[3].in_focus_fraction
    assert found[3].base_sigma == pytest.approx(3, rel=0.3)
    assert {entry.blur for entry in found} == {"round"}


def test_motion_is_a_blur_though_edges_along_it_are_sharp():
    found = score(motion_blur(ASTRONAUT, 4, 0.0))
    assert found.blur == "directional"
    assert found.sharpest_sigma == found.motion_sigma > 1.5
    assert found.in_focus_fraction < 0.02
    assert min(found.motion_angle, 180 - found.motion_angle) < 15


def test_motion_that_leaves_no_other_evidence_has_a_score():
    found = score(motion_blur(as_float(data.coffee()), 30, np.radians(20)))
    assert found.evidence < 0.002
    assert found.blur == "directional"
    assert found.sharpest_sigma == found.motion_sigma > 4
    assert abs(found.motion_angle - 160) < 15
    assert np.isnan(found.base_sigma)
    assert found.in_focus_fraction == 0


def test_a_small_box_is_not_scored_by_the_motion_around_it():
    moved = motion_blur(as_float(data.coffee()), 25, np.radians(20))
    for small in ((200, 150, 60, 60), (100, 100, 100, 100)):
        found = score(moved, box=small)
        assert found.blur == "unknown"
        assert np.isnan(found.sharpest_sigma)
    assert score(moved, box=(0, 0, 300, 400)).blur == "directional"


def test_motion_of_a_large_photograph_is_looked_for_in_full_size():
    large = np.tile(ASTRONAUT, (4, 5, 1))[:1031, :1507]
    found = score(motion_blur(large, 3, 0.0))
    assert found.sharpest_sigma == pytest.approx(3, rel=0.4)
    assert found.blur == "directional"
    assert score(large).blur == "round"


def test_the_sharpest_place_is_that_of_the_subject():
    image = gaussian_blur(ASTRONAUT, 4)
    image[150:214, 30:94] = ASTRONAUT[100:164, 100:164]
    found, focused = measure(image)
    assert 20 < found.x < 104
    assert 140 < found.y < 224
    assert found.sharpest_sigma < 0.6
    assert focused[150:214, 30:94].mean() > 4 * focused[:100].mean()


PLAIN = {
    "pixel": np.zeros((1, 1)),
    "row": np.zeros((1, 900)),
    "black": np.zeros((90, 120, 3), np.uint8),
    "constant": np.full((700, 900), 0.5, np.float32),
    "noise": np.random.default_rng(0).normal(0.5, 0.03, (150, 200)).clip(0, 1),
    "NaN": np.full((40, 40), np.nan, np.float32),
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_tells_nothing_says_so(name):
    found = score(PLAIN[name])
    assert found.evidence < 0.002
    assert np.isnan([found.sharpest_sigma, found.x, found.y, found.base_sigma, found.in_focus_fraction]).all()
    assert found.blur == "unknown"


def test_a_plain_noisy_field_never_wins_over_a_blurred_subject():
    image = np.full((320, 320, 3), 0.9, np.float32)
    image[64:256, 64:256] = ASTRONAUT[64:256, 64:256]
    noise = np.random.default_rng(0).normal(0, 0.01, (320, 320, 1))
    found = score(np.clip(gaussian_blur(image, 3) + noise, 0, 1))
    assert found.sharpest_sigma > 1.5


def test_a_box_and_a_mask_tell_the_subject():
    image = ASTRONAUT.copy()
    image[:, 140:] = gaussian_blur(ASTRONAUT, 4)[:, 140:]
    box = score(image, box=(150, 0, 170, 320))
    mask = np.zeros((320, 320), np.uint8)
    mask[:, 150:] = 255
    assert box == score(image, mask=mask)
    assert box.sharpest_sigma > 1.5
    assert score(image).sharpest_sigma < 0.6


def test_a_box_may_end_where_the_image_does():
    assert np.argwhere(region_of((20, 30), box=(20, 10, 10, 10))).min(0).tolist() == [10, 20]


def test_micrometres_follow_from_the_pixel_size():
    found = score(ASTRONAUT, pixel_size=2.5)
    assert found.sharpest_um == pytest.approx(2.5 * found.sharpest_sigma)
    assert np.isnan(score(ASTRONAUT).sharpest_um)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mask": np.ones((3, 3))}, r"a mask of \(3, 3\) does not fit an image of \(20, 30\)"),
        ({"mask": np.zeros((20, 30))}, "the mask is 0 everywhere"),
        ({"box": (40, 0, 5, 5)}, "the box 40,0,5,5 lies outside an image of 30x20"),
        ({"box": (20, 10, 11, 10)}, "the box 20,10,11,10 reaches beyond an image of 30x20 pixels; give one inside it"),
        ({"box": (20, 10, 10, 11)}, "the box 20,10,10,11 reaches beyond"),
        ({"box": (-1, 0, 10, 10)}, "the box -1,0,10,10 reaches beyond"),
        ({"box": (0, 0, 5, 5), "mask": np.ones((20, 30))}, "not by both"),
    ],
)
def test_a_subject_that_is_none_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        region_of((20, 30), **given)
