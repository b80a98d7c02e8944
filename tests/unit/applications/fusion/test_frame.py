import numpy as np
import pytest

from defocus_core.applications.fusion.frame import Frame, largest_frame, whole_frame


def test_the_largest_rectangle_inside_a_mask_is_found():
    shown = np.zeros((40, 60), bool)
    shown[5:30, 10:50] = True
    shown[5:12, 10:14] = False
    assert largest_frame(shown) == Frame(5, 30, 14, 50)
    assert largest_frame(np.ones((7, 9), bool)) == whole_frame((7, 9)) == Frame(0, 7, 0, 9)


def test_a_large_mask_is_searched_in_blocks_and_none_of_the_rectangle_is_outside():
    shown = np.ones((1300, 2000), bool)
    shown[:33], shown[:, 1951:] = False, False
    frame = largest_frame(shown)
    assert frame.crop(shown).all()
    assert frame.top - 33 < 4
    assert 1951 - frame.right < 4


def test_shots_that_share_nothing_have_no_frame():
    with pytest.raises(ValueError, match="share no frame"):
        largest_frame(np.zeros((4, 5), bool))
