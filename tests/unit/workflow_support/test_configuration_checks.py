"""A wrong configuration is named by its key before anything is done."""

import copy
from pathlib import Path

import pytest
import yaml

from defocus_core.evaluation import fusion_baselines
from defocus_core.evaluation.experiments import rendered_stacks
from defocus_core.networks.storage import WEIGHTS_FOLDER
from workflow_support.configuration_checks import FUSION_ROWS, RENDERED_BOUNDS, ConfigError, check_configuration

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(overlay, base=DEFAULT):
    """Return a configuration with an overlay merged in, as Snakemake merges configuration files."""
    result = copy.deepcopy(base)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = changed(value, result[key]) if both else value
    return result


def overlays():
    return sorted((ROOT / "config").glob("*.yaml"), key=lambda path: path.name)


@pytest.mark.parametrize("path", [p for p in overlays() if p.name != "schema.yaml"], ids=lambda p: p.stem)
def test_every_configuration_of_the_project_is_right(path):
    check_configuration(changed(yaml.safe_load(path.read_text())), ROOT)


@pytest.mark.parametrize("start", ["shipped/scenenet", str(WEIGHTS_FOLDER / "scenenet.safetensors")])
def test_a_mean_of_weights_starts_from_the_network_itself_shipped_or_in_a_file(start):
    check_configuration(changed({"layered_scenes": {"start_weight": 0.5, "start": start}}), ROOT)


GEOMETRIC = {"spacing": "geometric", "min_sigma": 0.4}
SHARP = {"folder": "x", "high_means": "sharp"}
PROGRAM = "program {shots} {fused}"


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ({"seeds": 1}, r"seeds: is no known key; did you mean 'seed'\?"),
        ({"trian": {}}, r"trian: is no known key; did you mean 'train'\?"),
        (
            {"train": {"learning_rate": "1e-3"}},
            r"train\.learning_rate: is a number, not '1e-3'; YAML takes it for text, write 0\.001",
        ),
        ({"train": {"learning_rate": float("nan")}}, r"train\.learning_rate: is a finite number, not nan"),
        (
            {"ingest": {"split_fractions": {"train": float("inf")}}},
            r"ingest\.split_fractions\.train: is (at most|a finite)",
        ),
        ({"train": {"epochs": 5, "patch_steps": 7}}, r"train: epochs 5 and patch_steps 7: one of them"),
        (
            {"patches": {"levels": GEOMETRIC}, "layered_scenes": {"start": "trained/blurnet"}},
            r"patches: levels blur ever more, these by .* `kernel: full` does not",
        ),
        (
            {
                "patches": {"levels": {**GEOMETRIC, "max_sigma": 12}, "kernel": "full"},
                "layered_scenes": {"start": "trained/scenenet"},
            },
            r"layered_scenes\.start: .* cannot be its own start",
        ),
        (
            {"layered_scenes": {"start_weight": 0.5, "start": "shipped/blurnet"}},
            r"layered_scenes\.start_weight: .* not shipped/blurnet",
        ),
        (
            {"layered_scenes": {"start_weight": 0.5, "start": str(WEIGHTS_FOLDER / "blurnet.safetensors")}},
            r"layered_scenes\.start_weight: .* not .*blurnet\.safetensors",
        ),
        ({"layered_scenes": {"network": "blurnet"}}, r"layered_scenes\.network: no dense network 'blurnet'"),
        (
            {"benchmark_sets": {"CUHK": {"truth": "embedded", "size": 96}}},
            r"benchmark_sets\.CUHK.*: a name is of small letters, digits and _, not 'CUHK'",
        ),
        ({"benchmark_sets": {"a": {"truth": "masks", "images": "x"}}}, r"\.a: .* needs truth_folder and blurred_value"),
        (
            {"benchmark_sets": {"embedded": {"peers": {"x": {**SHARP, "unit": "pixels"}}}}},
            r"benchmark_sets\.embedded\.peers\.x: high_means is 'blurred' .* not 'sharp'",
        ),
        (
            {"patches": {"levels": {"spacing": "geometric", "min_sigma": 0.2}}},
            r"patches: levels blur ever more, these by 0\.00, 0\.00, .*`kernel: full`",
        ),
        (
            {"layered_scenes": {"start": "trained/blurnet"}},
            r"layered_scenes\.start: its levels start at a sigma of 0",
        ),
        (
            {"layered_scenes": {"start": "shipped/blurnet_published"}},
            r"layered_scenes\.start: its levels start at a sigma of 0",
        ),
        (
            {"layered_scenes": {"start": str(WEIGHTS_FOLDER / "mobilenet_v2.safetensors")}},
            r"layered_scenes\.start: its levels start at a sigma of 0",
        ),
        (
            {"layered_scenes": {"start": "none.safetensors"}},
            r"layered_scenes\.start: no model file 'none\.safetensors'",
        ),
        ({"train": {"epochs": 0}}, r"train\.epochs: is at least 1, not 0 -- Passes"),
        ({"patches": {"domain": "pixel"}}, r"patches\.domain: is one of 'patch', 'image', not 'pixel'"),
        ({"backbones": ["mobilnet"]}, r"backbones\.0: no backbone 'mobilnet'; did you mean 'mobilenet_v2'\?"),
        ({"backbones": ["blurnet", "blurnet"]}, r"backbones: each network once, not blurnet, blurnet"),
        ({"backbones": ["scenenet"]}, r"backbones\.0: no backbone 'scenenet'.*\(known: blurnet, "),
        ({"train_overrides": {"vgg": {}}}, r"train_overrides\.vgg: no backbone 'vgg'"),
        (
            {"train_overrides": {"blurnet": {"patch_steps": 9}}},
            r"train_overrides\.blurnet: epochs 10 and patch_steps 9",
        ),
        ({"domains": {"patch_variants": ["soft"]}}, r"domains\.patch_variants: no patch variant 'soft'"),
        ({"domains": {"models": ["shipped/blurnett"]}}, r"domains\.models\.0: no shipped model 'blurnett'"),
        (
            {"patch_variants": {"patches": {"backbone": "blurnet"}}},
            r"patch_variants: 'patches' is the name of the",
        ),
        ({"patch_variants": {"a": {"backbone": "vgg"}}}, r"patch_variants\.a\.backbone: no backbone 'vgg'"),
        ({"ingest": {"split_fractions": {"train": 0.9}}}, r"ingest\.split_fractions: the fractions sum to 1\.2"),
        ({"patches": {"levels": {"min_sigma": 20}}}, r"patches\.levels: min_sigma 20 is not below"),
        ({"patches": {"levels": {"spacing": "geometric"}}}, r"patches\.levels: geometric levels start above"),
        ({"patches": {"disk_fraction": 0.5}}, r"patches: disk_fraction 0\.5 asks for the image domain"),
        (
            {"patch_variants": {"a": {"backbone": "blurnet", "patches": {"disk_fraction": 1}}}},
            r"patch_variants\.a\.patches: disk_fraction 1 asks for the image domain",
        ),
        (
            {"layered_scenes": {"scene": {"min_sigma": 12}}},
            r"layered_scenes\.scene: min_sigma 12 is not below max_sigma 12",
        ),
        (
            {"layered_scenes": {"start": "shipped/none"}},
            r"layered_scenes\.start: no shipped model 'none'.*\(known: blurnet",
        ),
        ({"maps": {"model": "trained/vgg"}}, r"maps\.model: no trained model 'vgg'"),
        ({"maps": {"model": "vgg"}}, r"maps\.model: a model is shipped/, .* not 'vgg'"),
        ({"maps": {"model": "mine.safetensors"}}, r"maps\.model: no model file 'mine\.safetensors'"),
        (
            {"map_variants": {"a": {"model": "a.safetensors"}}},
            r"map_variants\.a\.model: no model file 'a\.safetensors'",
        ),
        (
            {"maps": {"refinement": {"method": "least_squares", "radius": 4}}},
            r"maps\.refinement\.least_squares\.radius: is no known key",
        ),
        (
            {"map_variants": {"a": {"refinement": {"method": "guided", "certainty_exponent": 1}}}},
            r"map_variants\.a\.refinement\.guided\.certainty_exponent: is no known key",
        ),
        ({"map_variants": {"default": {"step": 4}}}, "map_variants: 'default' is the name"),
        ({"map_variants": {"a": {"model": "patch_variant/b"}}}, r"map_variants\.a\.model: no patch_variant model 'b'"),
        ({"evaluate_shipped": ["vgg"]}, r"evaluate_shipped\.0: no shipped model 'vgg'"),
        (
            {"benchmark_sets": {"embedded": {"subset": {"first": 5, "last": 2}}}},
            r"subset: first 5 is after last 2",
        ),
        (
            {"benchmark_sets": {"embedded": {"peers": {"lbp": SHARP}}}},
            r"benchmark_sets\.embedded\.peers: 'lbp' is the name of a row of our own",
        ),
        (
            {"stacks": {"a": {"folder": "x", "peers": {"fused": "y"}}}},
            r"stacks\.a\.peers: 'fused' is the name of a row of our own",
        ),
        (
            {"stacks": {"a": {"folder": "x", "commands": {"mean": PROGRAM}}}},
            r"stacks\.a\.commands: 'mean' is the name of a row of our own",
        ),
        (
            {"stacks": {"a": {"folder": "x", "peers": {"b": "y"}, "commands": {"b": PROGRAM}}}},
            r"stacks\.a\.commands: 'b' is the name of a peer",
        ),
        (
            {"stacks": {"a": {"folder": "x", "peers": {"Own": "y"}}}},
            r"stacks\.a\.peers\.Own.*: a name is of small letters, digits and _, not 'Own'",
        ),
        (
            {"applications": {"rendered_stacks": {"commands": {"defocus_map": PROGRAM}}}},
            r"applications\.rendered_stacks\.commands: 'defocus_map' is the name of a row of our own",
        ),
        (
            {"applications": {"rendered_stacks": {"commands": {"nearest_shot": PROGRAM}}}},
            r"applications\.rendered_stacks\.commands: 'nearest_shot' is the name of a row of our own",
        ),
        ({"benchmarks": ["cuhk"]}, r"benchmarks: no set 'cuhk' \(known: embedded\)"),
        (
            {"applications": {"fuse": {"commands": {"a": "program --in={shots} {fused}"}}}},
            r"applications\.fuse\.commands\.a: a command names \{shots\} as a word of its own",
        ),
        (
            {"applications": {"fuse": {"commands": {"a": "'program {shots} {fused}"}}}},
            r"applications\.fuse\.commands\.a: .* as a shell splits them, not .*program.*: No closing quotation",
        ),
        ({"ingest": {"sources": [{"licence": "x"}]}}, r"ingest\.sources\.0: a source has one of .*, not none"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(overlay, said):
    with pytest.raises(ConfigError, match=f"^config: .*{said}") as raised:
        check_configuration(changed(overlay), ROOT)
    assert "\n" not in str(raised.value)


def test_no_program_takes_the_name_of_a_way_to_fuse():
    assert {"fused", *fusion_baselines.fusion_methods({})} == set(FUSION_ROWS)


def test_the_bounds_of_rendered_stacks_are_known_by_name():
    assert set(RENDERED_BOUNDS) == set(rendered_stacks.BOUNDS)


def test_every_wrong_key_is_named_at_once():
    wrong = {"train": {"epochs": 0, "batch": "x"}, "maps": {"step": 33}}
    with pytest.raises(ConfigError) as raised:
        check_configuration(changed(wrong), ROOT)
    for said in ("train.epochs: is at least 1", "train.batch: is a whole number", "maps.step: is at most 32"):
        assert said in str(raised.value)


def test_a_key_of_an_older_configuration_is_named_with_its_name_now():
    old = {
        "recipes": {"a": {"backbone": "blurnet", "patches": {"disk": 1}}},
        "scenes": {"recipe": {"largest": 3}},
        "maps": {"refinement": {"trust": 1}},
    }
    with pytest.raises(ConfigError) as raised:
        check_configuration(changed(old), ROOT)
    for written, now in (
        ("recipes", "patch_variants"),
        ("recipes.a.patches.disk", "disk_fraction"),
        ("scenes", "layered_scenes"),
        ("scenes.recipe.largest", "max_sigma"),
        ("maps.refinement.trust", "certainty_exponent"),
    ):
        assert f"{written}: this key is {now!r} now" in str(raised.value)
