"""A wrong configuration is named by its key before anything is done."""

import copy
from pathlib import Path

import pytest
import yaml

from workflow_support import configuration

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
    configuration.check(changed(yaml.safe_load(path.read_text())), ROOT)


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ({"seeds": 1}, r"\(top level\): .*'seeds'"),
        ({"trian": {}}, r"'trian' was unexpected\); did you mean 'train'\?"),
        (
            {"train": {"learning_rate": "1e-3"}},
            r"train\.learning_rate: .*; YAML takes it for text, write 0\.001",
        ),
        ({"train": {"learning_rate": float("nan")}}, r"train\.learning_rate: nan is not a finite number"),
        (
            {"ingest": {"shares": {"train": float("inf")}}},
            r"ingest\.shares\.train: inf is (greater|not a finite)",
        ),
        (
            {
                "patches": {"levels": {"spacing": "geometric", "smallest": 0.4}},
                "scenes": {"start": "trained/blurnet"},
            },
            r"patches: levels blur ever more, these by .* `kernel: full` does not",
        ),
        (
            {
                "patches": {
                    "levels": {"spacing": "geometric", "smallest": 0.4, "largest": 12},
                    "kernel": "full",
                },
                "scenes": {"start": "trained/scenenet"},
            },
            r"scenes\.start: .* cannot be its own start",
        ),
        (
            {"scenes": {"average": 0.5, "start": "shipped/blurnet"}},
            r"scenes\.average: .* not shipped/blurnet",
        ),
        ({"sets": {"CUHK": {"truth": "embedded", "size": 96}}}, r"sets: 'CUHK' .* of small letters, digits"),
        (
            {"sets": {"embedded": {"peers": {"x": {"folder": "x", "high": "sharp", "unit": "pixels"}}}}},
            r"sets\.embedded\.peers\.x\.high: 'blurred' was expected",
        ),
        (
            {"patches": {"levels": {"spacing": "geometric", "smallest": 0.2}}},
            r"patches: levels blur ever more, these by 0\.00, 0\.00, .*`kernel: full`",
        ),
        ({"scenes": {"start": "trained/blurnet"}}, r"scenes\.start: its levels start at a sigma of 0"),
        ({"train": {"epochs": 0}}, r"train\.epochs: 0 is less than"),
        ({"patches": {"domain": "pixel"}}, r"patches\.domain: 'pixel' is not one of \['patch', 'image'\]"),
        ({"backbones": ["mobilnet"]}, r"backbones\.0: no backbone 'mobilnet'; did you mean 'mobilenet_v2'\?"),
        ({"backbones": ["scenenet"]}, r"backbones\.0: no backbone 'scenenet'.*\(known: blurnet, "),
        ({"train_of": {"vgg": {}}}, r"train_of\.vgg: no backbone 'vgg'"),
        ({"recipes": {"a": {"backbone": "vgg"}}}, r"recipes\.a\.backbone: no backbone 'vgg'"),
        ({"ingest": {"shares": {"train": 0.9}}}, r"ingest\.shares: they sum to 1\.2"),
        ({"patches": {"levels": {"smallest": 20}}}, r"patches\.levels: smallest 20 is not below"),
        ({"patches": {"levels": {"spacing": "geometric"}}}, r"patches\.levels: geometric levels start above"),
        ({"patches": {"disk": 0.5}}, r"patches: disk 0\.5 asks for the image domain"),
        (
            {"recipes": {"a": {"backbone": "blurnet", "patches": {"disk": 1}}}},
            r"recipes\.a\.patches: disk 1 asks for the image domain",
        ),
        ({"scenes": {"recipe": {"smallest": 12}}}, r"scenes\.recipe: smallest 12 is not below largest 12"),
        ({"scenes": {"start": "shipped/none"}}, r"scenes\.start: no shipped model 'none' \(known: blurnet"),
        ({"maps": {"model": "trained/vgg"}}, r"maps\.model: no trained model 'vgg'"),
        ({"maps": {"model": "mine.safetensors"}}, r"maps\.model: no model file 'mine\.safetensors'"),
        (
            {"variants": {"a": {"model": "a.safetensors"}}},
            r"variants\.a\.model: no model file 'a\.safetensors'",
        ),
        (
            {"maps": {"refinement": {"method": "least_squares", "radius": 4}}},
            r"maps\.refinement: refinement by least_squares has no 'radius'",
        ),
        (
            {"variants": {"a": {"refinement": {"method": "guided", "trust": 1}}}},
            r"variants\.a\.refinement: refinement by guided has no 'trust'",
        ),
        ({"variants": {"default": {"step": 4}}}, "variants: 'default' is the name"),
        ({"variants": {"a": {"model": "recipe/b"}}}, r"variants\.a\.model: no recipe model 'b'"),
        ({"sets": {"embedded": {"subset": {"first": 5, "last": 2}}}}, r"subset: first 5 is after last 2"),
        (
            {"sets": {"embedded": {"peers": {"lbp": {"folder": "x", "high": "sharp"}}}}},
            r"sets\.embedded\.peers: 'lbp' is the name of a row of our own",
        ),
        ({"benchmarks": ["cuhk"]}, r"benchmarks: no set 'cuhk' \(known: embedded\)"),
        (
            {"applications": {"fuse": {"commands": {"a": "program --in={shots} {fused}"}}}},
            r"applications\.fuse\.commands\.a: .* does not match",
        ),
    ],
)
def test_a_wrong_value_is_named_by_its_key(overlay, said):
    with pytest.raises(configuration.ConfigError, match=f"^config: .*{said}") as raised:
        configuration.check(changed(overlay), ROOT)
    assert "\n" not in str(raised.value)
