"""Check the workflow's configuration: against its schema, and for what a schema cannot say."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import yaml

from defocus_core.maps.refine.refinement import refinement_config_from
from defocus_core.networks.registry import backbone_of_weights, did_you_mean, patch_backbone_names
from defocus_core.training.patches import patch_config_from


class ConfigError(ValueError):
    """A configuration that cannot work; the message names the key."""


def check(config: dict, root: str | Path) -> None:
    """Check a configuration.

    Parameters
    ----------
    config : as Snakemake holds it
    root : of the project, with `config/schema.yaml` and the shipped weights

    Raises
    ------
    ConfigError
        For the first thing that is wrong, in one line.
    """
    root = Path(root)
    schema = yaml.safe_load((root / "config/schema.yaml").read_text())
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(config))
    if error is not None:
        key = ".".join(map(str, error.absolute_path)) or "(top level)"
        what = error.schema.get("description", "see config/README.md")
        raise ConfigError(f"config: {key}: {error.message}{_hint(error)} -- {what}")
    for key, problem in [
        *_infinite(config),
        *_backbones(config),
        *_patches(config),
        *_scenes(config),
        *_maps(config, root),
        *_sets(config),
    ]:
        raise ConfigError(f"config: {key}: {problem}")


def _hint(error: jsonschema.ValidationError) -> str:
    """Return what was probably meant, where it can be guessed."""
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        close = [
            m for key in error.instance if key not in known for m in difflib.get_close_matches(key, known, 1)
        ]
        return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    if error.validator == "type" and error.validator_value in ("number", "integer"):
        return _as_number(error.instance)
    return ""


def _as_number(written) -> str:
    """Say how YAML 1.1 reads a number from what it took for text, such as 1e-3."""
    try:
        value = float(written)
    except (TypeError, ValueError):
        return ""
    return f"; YAML takes it for text, write {value!r}" if isinstance(written, str) else ""


def recipes(config: dict) -> dict[str, dict]:
    """Return the recipes by name: `backbone`, `patches` and `train`, filled up with the main ones."""
    return {
        name: {
            "backbone": recipe["backbone"],
            "patches": {**config["patches"], **recipe.get("patches", {})},
            "train": {**config["train"], **recipe.get("train", {})},
        }
        for name, recipe in config["recipes"].items()
    }


def variants(config: dict) -> dict[str, dict]:
    """Return the settings of maps by name: `default`, and each variant filled up with the default's."""
    changes = {"default": {}, **config["variants"]}
    return {name: {**config["maps"], **changed} for name, changed in changes.items()}


def _infinite(node, path: tuple = ()) -> Iterator[tuple[str, str]]:
    """Yield the numbers that YAML writes as .nan and .inf, which no bound of a schema refuses."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        if isinstance(value, float) and not math.isfinite(value):
            yield ".".join(map(str, (*path, key))), f"{value} is not a finite number"
        yield from _infinite(value, (*path, key))


def _backbones(config: dict) -> Iterator[tuple[str, str]]:
    known = patch_backbone_names()
    named = {f"backbones.{index}": name for index, name in enumerate(config["backbones"])}
    named |= {f"train_of.{name}": name for name in config["train_of"]}
    named |= {f"recipes.{name}.backbone": recipe["backbone"] for name, recipe in config["recipes"].items()}
    for key, name in named.items():
        if name not in known:
            yield key, f"no backbone {name!r}{did_you_mean(name, known)}"


def _patches(config: dict) -> Iterator[tuple[str, str]]:
    total = sum(config["ingest"]["shares"].values())
    if abs(total - 1) > 1e-6:
        yield "ingest.shares", f"they sum to {total:g}, not to 1"
    named = {f"recipes.{name}.patches": recipe["patches"] for name, recipe in recipes(config).items()}
    for key, options in {"patches": config["patches"], **named}.items():
        levels = options["levels"]
        if not levels["smallest"] < levels["largest"]:
            yield f"{key}.levels", f"smallest {levels['smallest']} is not below largest"
        elif levels["spacing"] == "geometric" and levels["smallest"] <= 0:
            yield f"{key}.levels", "geometric levels start above 0"
        else:
            yield from _refused(key, lambda options=options: patch_config_from(options))


def _scenes(config: dict) -> Iterator[tuple[str, str]]:
    recipe = config["scenes"]["recipe"]
    if not recipe["smallest"] < recipe["largest"]:
        yield "scenes.recipe", f"smallest {recipe['smallest']} is not below largest {recipe['largest']}"
    origin, _, name = config["scenes"]["start"].partition("/")
    started = {"trained": config["patches"], "recipe": recipes(config).get(name, {}).get("patches")}.get(
        origin
    )
    refused = started and any(_refused("patches", lambda: patch_config_from(started)))
    if started and not refused and not patch_config_from(started).sigmas()[0] > 0:
        yield (
            "scenes.start",
            "its levels start at a sigma of 0; scenes need them above 0, as geometric ones are",
        )


def _maps(config: dict, root: Path) -> Iterator[tuple[str, str]]:
    if "default" in config["variants"]:
        yield (
            "variants",
            "'default' is the name of the row of `maps` itself; give the variant another name",
        )
    changes = {f"variants.{name}": changed for name, changed in config["variants"].items()}
    for key, options in {"maps": config["maps"], **changes}.items():
        chosen = options.get("refinement", {})
        yield from _refused(f"{key}.refinement", lambda chosen=chosen: refinement_config_from(chosen))
        if "model" in options:
            yield from _unknown_model(f"{key}.model", options["model"], config, root)
    start = config["scenes"]["start"]
    yield from _unknown_model("scenes.start", start, config, root)
    if start == "trained/scenenet":
        yield "scenes.start", "the network that these scenes train cannot be its own start"
    if config["scenes"]["average"] and start != "shipped/scenenet":
        yield (
            "scenes.average",
            f"the mean of weights needs a start of the same kind: shipped/scenenet, not {start}",
        )


def _unknown_model(key: str, model: str, config: dict, root: Path) -> Iterator[tuple[str, str]]:
    if model.endswith(".safetensors"):
        yield from _refused(key, lambda: backbone_of_weights(model))
        return
    origin, _, name = model.partition("/")
    known = {
        "trained": [*config["backbones"], "scenenet"],
        "recipe": list(config["recipes"]),
        "shipped": sorted(
            path.stem for path in (root / "defocus_core/networks/weights").glob("*.safetensors")
        ),
    }[origin]
    if name not in known:
        yield key, f"no {origin} model {name!r} (known: {', '.join(known)})"


def _sets(config: dict) -> Iterator[tuple[str, str]]:
    for name, entry in config["sets"].items():
        own = {"map", "probability", *config["baselines"]}
        for taken in sorted(own & set(entry.get("peers", {}))):
            yield f"sets.{name}.peers", f"{taken!r} is the name of a row of our own"
        subset = entry.get("subset", {})
        if subset.get("first", 1) > subset.get("last", float("inf")):
            yield f"sets.{name}.subset", f"first {subset['first']} is after last {subset['last']}"
    for name in config["benchmarks"]:
        if name not in config["sets"]:
            yield "benchmarks", f"no set {name!r} (known: {', '.join(config['sets'])})"


def _refused(key: str, build) -> Iterator[tuple[str, str]]:
    """Yield why settings cannot be built, if they cannot."""
    try:
        build()
    except ValueError as error:
        yield key, str(error)
