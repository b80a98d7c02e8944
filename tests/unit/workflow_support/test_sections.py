"""A section that cannot work is refused by what is wrong in it."""

import pytest
from pydantic import TypeAdapter

from defocus_core.settings import SettingsError
from defocus_core.training.config import TrainConfig
from workflow_support import sections

SOURCE = {"licence": "CC0"}
MASKS = {"truth": "masks", "images": "a", "truth_folder": "b"}


SCENES = {
    "network": "scenenet",
    "min_sharp_fraction": 0.8,
    "count": {"train": 2, "validation": 2},
    "start": "shipped/scenenet",
    "start_weight": 0.5,
    "train": {},
}


@pytest.mark.parametrize(
    ("section", "values", "said"),
    [
        (sections.Source, SOURCE, "one of package, folder and url, not none"),
        (sections.Source, {**SOURCE, "package": "skimage", "folder": "x"}, "not package and folder"),
        (sections.Source, {**SOURCE, "url": "https://x.org/a.zip"}, "url and sha256 go together"),
        (sections.SplitFractions, {"train": 0.5, "validation": 0.2, "test": 0.2}, "sum to 0.9, not to 1"),
        (sections.Peer, {"folder": "x", "high_means": "sharp", "unit": "pixels"}, "high_means is 'blurred' for maps"),
        (sections.Subset, {"first": 3, "last": 2}, "first 3 is after last 2"),
        (sections.BenchmarkSet, {"truth": "embedded"}, "whose truth is embedded needs size"),
        (sections.BenchmarkSet, MASKS, "whose truth is masks needs blurred_value"),
        (
            sections.BenchmarkSet,
            {**MASKS, "blurred_value": "white", "radius_table": "t"},
            "is masks has no radius_table",
        ),
        (sections.BenchmarkSet, {**MASKS, "truth": "sigma", "blurred_value": "white"}, "is sigma has no blurred_value"),
        (sections.BenchmarkSet, {"truth": "embedded", "size": 64, "images": "a"}, "is embedded has no images"),
        (sections.BenchmarkSet, {**MASKS, "truth": "relative", "size": 64}, "is relative has no size"),
        (sections.Photographs, {"package": "skimage", "folder": "x"}, "one of package and folder"),
        (sections.Photographs, {"package": "skimage", "images": []}, r"images List should have at least 1 item"),
        (
            sections.ScoreExperiment,
            {"sigmas": [0.5], "min_sigma": 1.0, "size": 64, "limit": 1},
            "none of the sigmas is from min_sigma 1 on",
        ),
        (
            sections.LayeredScenesSection,
            SCENES | {"scene": {"people_fraction": 0.5}},
            r"people_fraction is 0\.5, and silhouettes names no folder of them; tools/cut_people.py makes them",
        ),
    ],
)
def test_what_is_wrong_is_said(section, values, said):
    with pytest.raises(SettingsError, match=said):
        section(**values)


def test_a_set_of_masks_that_says_what_white_means_is_right():
    assert sections.BenchmarkSet(**MASKS, blurred_value="white").shards == 1


@pytest.mark.parametrize("model", ["shipped/scenenet", "trained/a", "patch_variant/b_1", "my/own.safetensors"])
def test_a_model_is_of_the_package_of_this_run_or_a_file(model):
    assert TypeAdapter(sections.Model).validate_python(model) == model


def test_what_replaces_keys_requires_none_and_knows_no_other():
    changes = sections.partial(TrainConfig, "Changes")
    assert changes(batch=64).model_dump(exclude_unset=True) == {"batch": 64}
    with pytest.raises(SettingsError, match="batch is at least 2, not 1"):
        changes(batch=1)
    with pytest.raises(SettingsError, match="bach is no known key; did you mean 'batch'"):
        changes(bach=64)
