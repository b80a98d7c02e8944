"""A configuration is the same however it is written; variants are the main settings with some keys replaced."""

import copy
from pathlib import Path

import yaml

from defocus_core.maps.config import PAPER_CONFIG, map_arguments_from
from workflow_support.configuration import Config, map_variants, patch_variants, plain_configuration

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def plain(**sections):
    """Return the plain configuration where some sections are others."""
    return plain_configuration(Config(**{**copy.deepcopy(DEFAULT), **sections}))


def test_a_patch_variant_takes_from_the_main_settings_what_it_does_not_name():
    config = plain(patch_variants={"short": {"backbone": "blurnet", "train": {"epochs": 3}}})
    made = patch_variants(config)["short"]
    assert made["patches"] == config["patches"]
    assert made["train"] == {**config["train"], "epochs": 3}


def test_map_variants_stand_beside_the_default():
    config = plain(map_variants={"coarse": {"step": 4}})
    assert map_variants(config) == {"default": config["maps"], "coarse": {**config["maps"], "step": 4}}


def test_equal_configurations_are_written_alike():
    written = copy.deepcopy(DEFAULT)
    written["patches"]["levels"]["min_sigma"] = 0.0
    written["applications"]["enhance"]["max_sigmas"] = [3.0, 8.0]
    written["maps"] |= {"certainty_exponent": 2.0, "log_sigma": True, "refinement": {"method": "least_squares"}}
    written["benchmark_sets"]["embedded"] |= {"shards": 1, "subset": None, "peers": {}}
    written["applications"]["fuse"] |= {"photographs": None, "commands": {}}
    assert repr(plain(**written)) == repr(plain())


def test_a_plain_configuration_has_every_key_and_is_its_own():
    changes = {"train_overrides": {"blurnet": {"epochs": None, "patch_steps": 64}}}
    config = plain(**changes, map_variants={"guided": {"refinement": {"method": "guided"}}})
    assert config["evaluate_shipped"] == ["mobilenet_v2"]
    assert config["benchmark_sets"]["embedded"]["subset"] is None
    assert config["layered_scenes"]["scene"]["camera"]["fraction"] == 0
    assert plain_configuration(Config(**config)) == config


def test_what_replaces_keys_has_those_alone_that_are_written_also_null():
    overrides = {"blurnet": {"epochs": None, "patch_steps": 64, "augment": {"flips": True}}}
    variant = {"backbone": "blurnet", "patches": {"max_per_image": None}}
    config = plain(train_overrides=overrides, patch_variants={"all": variant})
    found = config["train_overrides"]["blurnet"]
    assert (found["epochs"], found["patch_steps"], found["augment"]["flips"]) == (None, 64, True)
    assert set(found) == set(overrides["blurnet"])
    assert config["patch_variants"]["all"] == {**variant, "train": {}}


def test_the_paper_s_overlays_make_maps_as_published():
    for name in ("paper", "published_maps"):
        overlay = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
        arguments = map_arguments_from({**DEFAULT["maps"], **overlay["maps"]})
        assert arguments == {"step": 16, "refine": True, "config": PAPER_CONFIG}, name
