"""A section of photographs or scenes that cannot work is refused by what is wrong in it."""

import pytest

from defocus_core.settings import SettingsError
from workflow_support.sections.training import IngestSection, LayeredScenesSection, Source, SplitFractions

SOURCE = {"licence": "CC0"}
SHARES = {"train": 0.5, "validation": 0.25, "test": 0.25}
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
        (Source, SOURCE, "one of package, folder and url, not none"),
        (Source, {**SOURCE, "package": "skimage", "folder": "x"}, "not package and folder"),
        (Source, {**SOURCE, "url": "https://x.org/a.zip"}, "url and sha256 go together"),
        (
            IngestSection,
            {"sources": [{**SOURCE, "package": "skimage"}], "split_fractions": SHARES, "max_pixels": 400_000_000},
            r"max_pixels is at most 200000000, not 400000000",
        ),
        (SplitFractions, {"train": 0.5, "validation": 0.2, "test": 0.2}, "sum to 0.9, not to 1"),
        (
            LayeredScenesSection,
            SCENES | {"scene": {"people_fraction": 0.5}},
            r"people_fraction is 0\.5, and silhouettes names no folder of them; tools/cut_people.py makes them",
        ),
    ],
)
def test_what_is_wrong_is_said(section, values, said):
    with pytest.raises(SettingsError, match=said):
        section(**values)
