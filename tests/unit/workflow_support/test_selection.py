"""Which files and settings each rule takes."""

import copy
import importlib.metadata
import os
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from defocus_core.evaluation.benchmark_sets import BenchmarkSetError
from defocus_core.io.write import write
from defocus_core.networks.storage import WEIGHTS_FOLDER
from workflow_support.configuration_checks import ConfigError
from workflow_support.provenance import _read_module
from workflow_support.selection import Selection, SelectionError, without_braces

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
SHIPPED = WEIGHTS_FOLDER / "blurnet.safetensors"


def selection(root=ROOT, **sections):
    """Return what the rules take where some sections of the configuration are others."""
    return Selection({**copy.deepcopy(DEFAULT), **sections}, root)


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A set of three photographs with masks, and maps of another method, in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("1", "2", "10"):
        write(f"images/im{name}.png", np.zeros((3, 4), np.uint8))
        write(f"masks/gt{name}.png", np.zeros((3, 4), np.uint8))
        write(f"peer/im{name}.png", np.zeros((3, 4), np.uint8))
    return {
        "truth": "masks",
        "images": "images",
        "truth_folder": "masks",
        "blurred_value": "white",
        "replace": {"image": "im", "truth": "gt"},
        "peers": {"other": {"folder": "peer", "high_means": "sharp"}},
    }


def test_a_configuration_that_cannot_work_is_refused():
    with pytest.raises(ConfigError, match="seed: is a whole number"):
        selection(seed="x")


def test_a_shipped_model_lies_on_disk_and_the_others_are_made():
    found = selection()
    file, there = found.model_file("shipped/scenenet")
    assert there
    assert Path(file).resolve() == WEIGHTS_FOLDER / "scenenet.safetensors"
    assert not os.path.isabs(file)
    assert found.model_file("trained/blurnet") == ("results/models/blurnet/model.safetensors", False)
    assert found.model_file("patch_variant/a") == ("results/patch_variants/a/model.safetensors", False)
    assert found.model_file("mine/m.safetensors") == ("mine/m.safetensors", True)


def test_the_module_of_a_model_is_that_of_its_network():
    variants = {"a": {"backbone": "resnet18"}}
    found = selection(patch_variants=variants)
    modules = {
        "shipped/scenenet": "networks/dense/scenenet.py",
        "trained/blurnet": "networks/backbones/blurnet.py",
        "patch_variant/a": "networks/backbones/resnet18.py",
        str(SHIPPED): "networks/backbones/blurnet.py",
    }
    for model, module in modules.items():
        assert found.model_module(model) == Path(module)
        assert (ROOT / "defocus_core" / module).is_file()


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one script, the module that it imports and one that it imports by a computed name."""
    files = {
        "workflow_scripts/make.py": "from defocus_core.settings_of import Limits\n",
        "defocus_core/settings_of.py": 'class Limits:\n    most = Field(3, ge=1, description="Most of them.")\n',
        "defocus_core/networks/tiny.py": "LAYERS = 2\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "defocus_core/networks/weights").symlink_to(WEIGHTS_FOLDER)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "counts"),
    [
        ("workflow_scripts/make.py", "\n", "\nprint(1)\n", True),
        ("workflow_scripts/make.py", "\n", "  # what it takes\n", False),
        ("defocus_core/settings_of.py", "ge=1", "ge=2", True),
        ("defocus_core/settings_of.py", "Field(3,", "Field(4,", True),
        ("defocus_core/settings_of.py", "Most of them.", "How many at most.", False),
        ("defocus_core/settings_of.py", "Limits:\n", 'Limits:\n    """Bounds."""\n\n', False),
        ("defocus_core/networks/tiny.py", "2", "3", True),
        ("defocus_core/networks/tiny.py", "2", "2  # of them", False),
    ],
)
def test_an_edit_changes_the_code_and_words_do_not(checkout, file, old, new, counts):
    found = selection(checkout)

    def code():
        _read_module.cache_clear()
        return found.code("make.py", "networks/tiny.py")

    before = code()
    text = (checkout / file).read_text()
    (checkout / file).write_text(text.replace(old, new))
    assert (checkout / file).read_text() != text
    assert (code() != before) == counts
    (checkout / file).write_text(text)
    assert code() == before


def test_a_module_given_besides_is_part_of_the_code(checkout):
    found = selection(checkout)
    assert found.code("make.py", "networks/tiny.py").split("-")[0] == found.code("make.py")


@pytest.mark.parametrize(
    ("script", "modules", "weights"),
    [
        ("fuse_set.py", [], ["fusion/weights/votes.safetensors"]),
        ("application.py", ["evaluation/experiments/fuse.py"], ["fusion/weights/votes.safetensors"]),
        ("application.py", ["evaluation/experiments/rendered_stacks.py"], ["fusion/weights/votes.safetensors"]),
        ("application.py", ["evaluation/experiments/score.py"], ["score/weights/motion.safetensors"]),
        ("application.py", ["evaluation/experiments/depth.py"], []),
        ("maps.py", [], []),
    ],
)
def test_the_small_networks_that_a_script_runs_are_known(script, modules, weights):
    folder = ROOT / "defocus_core/applications"
    found = selection().small_weights(script, *modules)
    assert [Path(file).resolve() for file in found] == [folder / name for name in weights]


def test_photographs_find_their_truths_as_the_set_says(photographs):
    subset = {**photographs, "subset": {"first": 2, "last": 3}}
    found = selection(benchmark_sets={"whole": photographs, "part": subset}, benchmarks=["whole", "part"])
    assert found.set_pairing("whole") == {"replace": {"image": "im", "truth": "gt"}}
    assert found.set_pairing("part") == {"first": 2, "last": 3, "replace": {"image": "im", "truth": "gt"}}
    assert found.photographs("whole", 0) == [f"images/im{name}.png" for name in ("1", "2", "10")]
    assert found.pairs("part", [0]) == ["images/im2.png", "masks/gt2.png", "images/im10.png", "masks/gt10.png"]
    assert found.peer_maps("part", 0) == ["peer/im2.png", "peer/im10.png"]
    assert found.set_folders("whole", "made") == ("images", "masks")


def test_shards_share_the_photographs_of_a_set(photographs):
    found = selection(benchmark_sets={"a": {**photographs, "shards": 2}}, benchmarks=["a"])
    shards = [found.photographs("a", shard) for shard in range(found.set_shards("a"))]
    assert sorted(shards[0] + shards[1]) == sorted(f"images/im{name}.png" for name in ("1", "2", "10"))
    assert sorted(found.pairs("a", [0, 1]))[:3] == sorted(shards[0] + shards[1])
    assert [len(found.peer_maps("a", shard)) for shard in (0, 1)] == [len(shard) for shard in shards]


def test_a_table_of_radii_is_one_of_the_files_of_a_set(photographs):
    table = {**photographs, "truth": "sigma", "blurred_value": None, "radius_table": "table.csv"}
    assert selection(benchmark_sets={"a": table}, benchmarks=["a"]).tables("a") == ["table.csv"]
    assert selection(benchmark_sets={"a": photographs}, benchmarks=["a"]).tables("a") == []


def test_a_shard_depends_on_its_own_photographs_and_not_on_how_many_others_there_are(photographs):
    def of_range(last):
        subset = {**photographs, "subset": {"last": last}, "shards": 4}
        found = selection(benchmark_sets={"a": subset}, benchmarks=["a"])
        return [(found.pairs("a", [k]), found.made_shard("a", k), found.score_settings("a")) for k in range(4)]

    assert sum(one != other for one, other in zip(of_range(2), of_range(3), strict=True)) == 1


def test_a_shard_of_a_set_made_here_is_told_which_photographs_are_its_own():
    entry = {"truth": "embedded", "size": 64, "shards": 2, "subset": {"last": 3}}
    found = selection(benchmark_sets={"embedded": entry}, benchmarks=["embedded"])
    assert found.made_shard("embedded", 1) == {"shard": 1, "shards": 2, "first": 1, "last": 3}


def test_a_missing_map_of_a_peer_is_named_with_set_peer_and_photograph(photographs):
    found = selection(benchmark_sets={"cuhk": photographs}, benchmarks=["cuhk"])
    Path("peer/im2.png").unlink()
    with pytest.raises(
        SelectionError, match=r"^benchmark_sets\.cuhk\.peers\.other: peer has no map for 1 photographs, such as im2$"
    ):
        found.peer_maps("cuhk", 0)
    gone = {**photographs, "peers": {"other": {"folder": "none", "high_means": "sharp"}}}
    with pytest.raises(SelectionError, match=r"^benchmark_sets\.cuhk\.peers\.other: no folder 'none' of another"):
        selection(benchmark_sets={"cuhk": gone}, benchmarks=["cuhk"]).peer_maps("cuhk", 0)


def test_a_set_without_its_photographs_is_named_when_it_is_asked_for(photographs):
    found = selection(benchmark_sets={"a": {**photographs, "images": "none"}}, benchmarks=["a"])
    with pytest.raises(BenchmarkSetError, match="no folder 'none'"):
        found.photographs("a", 0)


def test_an_embedded_set_takes_the_maps_that_a_peer_has(photographs):
    entry = {"truth": "embedded", "size": 64, "peers": photographs["peers"]}
    found = selection(benchmark_sets={"embedded": entry}, benchmarks=["embedded"])
    assert found.is_embedded("embedded")
    assert found.set_folders("embedded", "made") == ("made/images", "made/sigma")
    assert found.peer_maps("embedded", 0) == [f"peer/im{name}.png" for name in ("1", "2", "10")]


def test_a_networks_own_settings_override_the_common_ones():
    own = {"blurnet": {"batch": 7}}
    found = selection(train_overrides=own)
    assert found.train_settings("blurnet") == {**found.config["train"], "batch": 7}
    assert found.train_settings("resnet18") == found.config["train"]


def test_a_table_across_domains_needs_models():
    assert selection(domains={"models": ["shipped/blurnet"]}).domain_models() == ["shipped/blurnet"]
    with pytest.raises(SelectionError, match=r"^domains\.models: there are none"):
        selection().domain_models()


def test_a_missing_folder_of_sources_is_named_by_its_key(photographs):
    split = DEFAULT["ingest"]
    found = selection(ingest={**split, "sources": [{"folder": "images", "licence": "mine"}]})
    assert found.source_files() == [f"images/im{name}.png" for name in ("1", "2", "10")]
    found = selection(ingest={**split, "sources": [{"folder": "none", "licence": "mine"}]})
    with pytest.raises(SelectionError, match=r"^ingest\.sources: no folder 'none'"):
        found.source_files()


def test_null_is_as_good_as_left_out(photographs):
    source = {"package": None, "folder": "images", "url": None, "sha256": None, "images": None, "get": None}
    entry = {**photographs, "subset": None, "radius_table": None}
    found = selection(
        ingest={**DEFAULT["ingest"], "sources": [{**source, "licence": "mine"}]},
        no_reference=[{"package": None, "folder": "images", "images": None, "limit": None}],
        benchmark_sets={"a": {**entry, "replace": {"image": "im", "truth": "gt"}}},
        benchmarks=["a"],
    )
    names = [f"images/im{name}.png" for name in ("1", "2", "10")]
    assert found.source_files() == found.no_reference_files() == found.photographs("a", 0) == names
    assert found.downloads() == {}


def test_the_versions_of_the_packages_in_use_are_known(photographs):
    found = selection(no_reference=[{"package": "skimage"}, {"folder": "images"}])
    assert found.no_reference_versions() == {"skimage": importlib.metadata.version("scikit-image")}
    assert set(found.source_versions()) == {"skimage", "sklearn"}


def test_downloads_are_known_by_their_digest():
    digest = "0" * 64
    sources = [
        {"url": "https://example.org/a.zip", "sha256": digest, "licence": "free"},
        DEFAULT["ingest"]["sources"][0],
    ]
    found = selection(ingest={**DEFAULT["ingest"], "sources": sources})
    assert found.downloads() == {digest: "https://example.org/a.zip"}


def test_stacks_have_their_shots_and_other_methods_results(photographs):
    for name in ("s/1.png", "s/2.png", "t/1.png", "t/2.png"):
        write(Path("stacks") / name, np.zeros((3, 4), np.uint8))
    for name in "st":
        write(f"fused/{name}.png", np.zeros((3, 4), np.uint8))
    found = selection(stacks={"lytro": {"folder": "stacks", "peers": {"other": "fused"}}})
    shots = [f"stacks/{stack}/{shot}.png" for stack in "st" for shot in "12"]
    assert found.stack_files("lytro") == [*shots, "fused/s.png", "fused/t.png"]
    Path("fused/t.png").unlink()
    with pytest.raises(SelectionError, match=r"^stacks\.lytro\.peers\.other: .* 1 stacks, such as fused/t\.png$"):
        found.stack_files("lytro")


@pytest.mark.parametrize("file", ["a{b}.png", "{folder}/a.png", "{}.png"])
def test_a_name_that_snakemake_takes_for_a_pattern_is_named(file):
    assert without_braces(["a.png", "b}{.png"]) == ["a.png", "b}{.png"]
    with pytest.raises(SelectionError, match=re.escape(file)):
        without_braces(["a.png", file])


def test_silhouettes_lie_in_folders_named_as_those_of_the_photographs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert selection().silhouettes() == []
    scenes = DEFAULT["layered_scenes"] | {"silhouettes": "people"}
    with pytest.raises(SelectionError, match=r"no FOLDER/NAME.png in 'people'; tools/cut_people.py makes them"):
        selection(layered_scenes=scenes).silhouettes()
    for name in ("b/2", "a/1"):
        write(f"people/{name}.png", np.zeros((3, 4), np.uint8))
    assert selection(layered_scenes=scenes).silhouettes() == ["people/a/1.png", "people/b/2.png"]
