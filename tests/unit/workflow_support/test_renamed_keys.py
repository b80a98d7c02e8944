import pytest

from workflow_support.renamed_keys import RENAMED, renamed_keys


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"sets": {}}, [("sets", "benchmark_sets")]),
        ({"ingest": {"shares": {}}}, [("ingest.shares", "split_fractions")]),
        ({"maps": {"certainty": 1, "step": 8}}, [("maps.certainty", "certainty_exponent")]),
        ({"map_variants": {"a": {"stretch": True}}}, [("map_variants.a.stretch", "stretch_contrast")]),
        ({"train": {"augment": {"jpeg": 0.5}}}, [("train.augment.jpeg", "jpeg_fraction")]),
        (
            {"patch_variants": {"a": {"train": {"augment": {"jpeg": 0.5}}}}},
            [("patch_variants.a.train.augment.jpeg", "jpeg_fraction")],
        ),
        (
            {"benchmark_sets": {"a": {"peers": {"b": {"high": "sharp"}}}}},
            [("benchmark_sets.a.peers.b.high", "high_means")],
        ),
        ({"no_reference": [{"folder": "x"}, {"most": 3}]}, [("no_reference.1.most", "limit")]),
        ({"applications": {"fuse": {"strength": 1}}}, [("applications.fuse.strength", "sigma_per_disparity")]),
    ],
)
def test_an_old_key_is_given_as_it_is_written_with_its_name_now(config, found):
    assert list(renamed_keys(config)) == found


def test_a_key_below_an_old_one_is_found_and_both_are_told():
    old = {"recipes": {"a": {"patches": {"levels": {"largest": 3}}}}, "variants": {"b": {"refinement": {"floor": 1}}}}
    assert list(renamed_keys(old)) == [
        ("recipes", "patch_variants"),
        ("recipes.a.patches.levels.largest", "max_sigma"),
        ("variants", "map_variants"),
        ("variants.b.refinement.floor", "min_weight"),
    ]


def test_a_name_is_only_old_in_its_place():
    now = {
        "maps": {"floor": 1, "sets": 2},
        "certainty": 1,
        "benchmark_sets": {"a": {"most": 3, "blurred_value": "white", "peers": {"blurred": {"folder": "x"}}}},
        "stacks": {"a": {"peers": {"stacks": "x"}}},
        "applications": {"fuse": {"commands": {"strength": "x"}}},
    }
    assert list(renamed_keys(now)) == []


def test_no_key_is_renamed_to_one_that_is_old_itself():
    for pattern, name in RENAMED.items():
        above = pattern.rpartition(".")[0]
        assert f"{above}.{name}".lstrip(".") not in RENAMED
