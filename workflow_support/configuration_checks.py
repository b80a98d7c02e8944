"""Checks of the configuration: of each section, and across sections."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from safetensors import safe_open

from defocus_core.networks.registry import backbone_of_weights, dense_backbone_names, patch_backbone_names
from defocus_core.settings import SettingsError, did_you_mean
from defocus_core.training.config import TrainConfig
from defocus_core.training.patches import PatchConfig
from workflow_support.configuration import Config, patch_variants, plain_configuration
from workflow_support.renamed_keys import renamed_keys
from workflow_support.sections.benchmarks import MapsSection

ROWS = ("map", "probability")  # of a table of scores, which no other method may be called
FUSION_ROWS = ("fused", "defocus_map", "mean", "laplacian_pyramid", "guided_filter")  # of a table of fusions
RENDERED_BOUNDS = ("sharpest_shot", "nearest_shot")  # more rows, of rendered stacks


class ConfigError(ValueError):
    """A configuration that cannot work; the message names every key that is wrong."""


def check_configuration(config: dict, root: str | Path) -> Config:
    """Check a configuration and return it typed.

    Parameters
    ----------
    config : as Snakemake holds it
    root : of the project, with the shipped weights

    Raises
    ------
    ConfigError
        In one line that names each wrong key, its value and what is right.
    """
    renamed = [(old, f"this key is {new!r} now") for old, new in renamed_keys(config)]
    if renamed:
        raise _config_error(renamed)
    try:
        typed = Config(**config)
    except SettingsError as error:
        raise _config_error(error.problems) from None
    plain = plain_configuration(typed)
    problems = [
        *_check_backbones(typed),
        *_check_patch_variants(plain),
        *_check_domains(typed, Path(root)),
        *_check_layered_scenes(typed, plain, Path(root)),
        *_check_maps(plain, typed, Path(root)),
        *_check_sets(typed),
        *_check_fusions(typed),
    ]
    if problems:
        raise _config_error(problems)
    return typed


def _config_error(problems: list[tuple[str, str]]) -> ConfigError:
    told = "; ".join(f"{key or '(top level)'}: {problem}" for key, problem in problems)
    return ConfigError(f"config: {told}; config/README.md explains each key")


def shipped_models(root: Path) -> list[str]:
    """Return the names of the models in the package of a checkout."""
    return sorted(path.stem for path in shipped_file(root, "").parent.glob("*.safetensors"))


def shipped_file(root: Path, name: str) -> Path:
    """Return the file of a model in the package of a checkout."""
    return root / f"defocus_core/networks/weights/{name}.safetensors"


def _check_backbones(config: Config) -> Iterator[tuple[str, str]]:
    known = patch_backbone_names()
    named = {f"backbones.{index}": name for index, name in enumerate(config.backbones)}
    named |= {f"train_overrides.{name}": name for name in config.train_overrides}
    named |= {f"patch_variants.{name}.backbone": variant.backbone for name, variant in config.patch_variants.items()}
    for key, name in named.items():
        if name not in known:
            yield key, f"no backbone {name!r}{did_you_mean(name, known)}"
    if len(set(config.backbones)) < len(config.backbones):
        yield "backbones", f"each network once, not {', '.join(config.backbones)}"
    dense = dense_backbone_names()
    if config.layered_scenes.network not in dense:
        name = config.layered_scenes.network
        yield "layered_scenes.network", f"no dense network {name!r}{did_you_mean(name, dense)}"


def _check_patch_variants(config: dict) -> Iterator[tuple[str, str]]:
    if "patches" in config["patch_variants"]:
        yield "patch_variants", "'patches' is the name of the main ones; give the variant another name"
    for name, variant in patch_variants(config).items():
        yield from _refused(f"patch_variants.{name}.patches", functools.partial(PatchConfig, **variant["patches"]))
        yield from _refused(f"patch_variants.{name}.train", functools.partial(TrainConfig, **variant["train"]))
    for name, changes in config["train_overrides"].items():
        yield from _refused(f"train_overrides.{name}", functools.partial(TrainConfig, **{**config["train"], **changes}))


def _check_domains(config: Config, root: Path) -> Iterator[tuple[str, str]]:
    for index, model in enumerate(config.domains.models):
        yield from _check_model(f"domains.models.{index}", model, config, root)
    known = list(config.patch_variants)
    for name in config.domains.patch_variants:
        if name not in known:
            yield "domains.patch_variants", f"no patch variant {name!r}{did_you_mean(name, known)}"


def _check_layered_scenes(config: Config, plain: dict, root: Path) -> Iterator[tuple[str, str]]:
    section = config.layered_scenes
    unknown = list(_check_model("layered_scenes.start", section.start, config, root))
    yield from unknown
    if not unknown and not _least_sigma(section.start, plain, root) > 0:
        yield (
            "layered_scenes.start",
            "its levels start at a sigma of 0; scenes need them above 0, as geometric ones are",
        )
    if section.start == f"trained/{section.network}":
        yield "layered_scenes.start", "the network that these scenes train cannot be its own start"
    weights = None if unknown else _weights_file(section.start, root)
    if section.start_weight and not unknown and (not weights or backbone_of_weights(weights) != section.network):
        yield (
            "layered_scenes.start_weight",
            f"the mean of weights needs a start of the same kind: shipped/{section.network} or a file of its weights, "
            f"not {section.start}",
        )


def _weights_file(model: str, root: Path) -> Path | None:
    """Return the weights of a model that is there already; None where this run trains it."""
    if model.endswith(".safetensors"):
        return Path(model)
    origin, _, name = model.partition("/")
    return shipped_file(root, name) if origin == "shipped" else None


def _least_sigma(model: str, plain: dict, root: Path) -> float:
    """Return the sigma of the first level of a model that is there, or whose patches are known."""
    if file := _weights_file(model, root):
        with safe_open(file, "np") as weights:
            return float(weights.get_tensor("sigmas")[0])
    origin, _, name = model.partition("/")
    patches = patch_variants(plain)[name]["patches"] if origin == "patch_variant" else plain["patches"]
    return float(PatchConfig(**patches).sigmas()[0])


def _check_maps(config: dict, typed: Config, root: Path) -> Iterator[tuple[str, str]]:
    if "default" in config["map_variants"]:
        yield "map_variants", "'default' is the name of the row of `maps` itself; give the variant another name"
    yield from _check_model("maps.model", typed.maps.model, typed, root)
    for name, changes in config["map_variants"].items():
        key = f"map_variants.{name}"
        yield from _refused(key, functools.partial(MapsSection, **{**config["maps"], **changes}))
        if "model" in changes:
            yield from _check_model(f"{key}.model", changes["model"], typed, root)
    for index, name in enumerate(typed.evaluate_shipped):
        yield from _check_model(f"evaluate_shipped.{index}", f"shipped/{name}", typed, root)


def _check_model(key: str, model: str, config: Config, root: Path) -> Iterator[tuple[str, str]]:
    if model.endswith(".safetensors"):
        yield from _refused(key, lambda: backbone_of_weights(model))
        return
    origin, _, name = model.partition("/")
    known = {
        "trained": [*config.backbones, config.layered_scenes.network],
        "patch_variant": list(config.patch_variants),
        "shipped": shipped_models(root),
    }[origin]
    if name not in known:
        yield key, f"no {origin} model {name!r}{did_you_mean(name, known)}"


def _check_sets(config: Config) -> Iterator[tuple[str, str]]:
    for name, entry in config.benchmark_sets.items():
        yield from _check_rows(f"benchmark_sets.{name}.peers", entry.peers, (*ROWS, *config.baselines))
    known = list(config.benchmark_sets)
    for name in config.benchmarks:
        if name not in known:
            yield "benchmarks", f"no set {name!r}{did_you_mean(name, known)}"


def _check_fusions(config: Config) -> Iterator[tuple[str, str]]:
    for name, entry in config.stacks.items():
        yield from _check_rows(f"stacks.{name}.peers", entry.peers, FUSION_ROWS)
        yield from _check_rows(f"stacks.{name}.commands", entry.commands, FUSION_ROWS)
        for row in sorted(set(entry.peers) & set(entry.commands)):
            yield f"stacks.{name}.commands", f"{row!r} is the name of a peer; give one of them another"
    yield from _check_rows("applications.fuse.commands", config.applications.fuse.commands, FUSION_ROWS)
    rendered, own = config.applications.rendered_stacks, (*FUSION_ROWS, *RENDERED_BOUNDS)
    yield from _check_rows("applications.rendered_stacks.commands", rendered.commands, own)


def _check_rows(key: str, named: Iterable[str], own: Iterable[str]) -> Iterator[tuple[str, str]]:
    for row in sorted(set(named) & set(own)):
        yield key, f"{row!r} is the name of a row of our own"


def _refused(key: str, build: Callable[[], object]) -> Iterator[tuple[str, str]]:
    """Yield why settings cannot be built, if they cannot."""
    try:
        build()
    except SettingsError as error:
        for below, problem in error.problems:
            yield ".".join(filter(None, (key, below))), problem
    except ValueError as error:
        yield key, str(error)
