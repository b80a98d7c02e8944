"""A section of maps or of a set that cannot work is refused by what is wrong in it."""

import pytest

from defocus_core.settings import SettingsError
from workflow_support.sections.benchmarks import BenchmarkSet, Peer, Photographs, Subset

MASKS = {"truth": "masks", "images": "a", "truth_folder": "b"}


@pytest.mark.parametrize(
    ("section", "values", "said"),
    [
        (Peer, {"folder": "x", "high_means": "sharp", "unit": "pixels"}, "high_means is 'blurred' for maps"),
        (Subset, {"first": 3, "last": 2}, "first 3 is after last 2"),
        (BenchmarkSet, {"truth": "embedded"}, "whose truth is embedded needs size"),
        (BenchmarkSet, MASKS, "whose truth is masks needs blurred_value"),
        (BenchmarkSet, {**MASKS, "blurred_value": "white", "radius_table": "t"}, "is masks has no radius_table"),
        (BenchmarkSet, {**MASKS, "truth": "sigma", "blurred_value": "white"}, "is sigma has no blurred_value"),
        (BenchmarkSet, {"truth": "embedded", "size": 64, "images": "a"}, "is embedded has no images"),
        (BenchmarkSet, {**MASKS, "truth": "relative", "size": 64}, "is relative has no size"),
        (Photographs, {"package": "skimage", "folder": "x"}, "one of package and folder"),
        (Photographs, {"package": "skimage", "images": []}, r"images List should have at least 1 item"),
    ],
)
def test_what_is_wrong_is_said(section, values, said):
    with pytest.raises(SettingsError, match=said):
        section(**values)


def test_a_set_of_masks_that_says_what_white_means_is_right():
    assert BenchmarkSet(**MASKS, blurred_value="white").shards == 1
