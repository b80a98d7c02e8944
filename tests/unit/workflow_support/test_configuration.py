"""Variants are the main settings with some keys replaced."""

from pathlib import Path

import yaml

from defocus_core.maps.config import PAPER_CONFIG, map_arguments_from
from workflow_support.configuration import map_variants, patch_variants

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_a_patch_variant_takes_from_the_main_settings_what_it_does_not_name():
    variant = {"backbone": "blurnet", "train": {"epochs": 3}}
    made = patch_variants({**DEFAULT, "patch_variants": {"short": variant}})["short"]
    assert made["patches"] == DEFAULT["patches"]
    assert made["train"] == {**DEFAULT["train"], "epochs": 3}


def test_map_variants_stand_beside_the_default():
    made = map_variants({**DEFAULT, "map_variants": {"coarse": {"step": 8}}})
    assert made == {"default": DEFAULT["maps"], "coarse": {**DEFAULT["maps"], "step": 8}}


def test_the_paper_s_overlays_make_maps_as_published():
    for name in ("paper", "published_maps"):
        overlay = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
        arguments = map_arguments_from({**DEFAULT["maps"], **overlay["maps"]})
        assert arguments == {"step": 16, "refine": True, "config": PAPER_CONFIG}, name
