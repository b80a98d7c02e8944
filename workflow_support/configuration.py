"""The workflow's configuration as a whole."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from defocus_core.settings import Settings, Whole
from defocus_core.training.config import Count, TrainConfig
from defocus_core.training.patches import PatchConfig
from workflow_support.sections.applications import ApplicationsSection
from workflow_support.sections.benchmarks import BenchmarkSet, MapsSection, Photographs, Published, Stacks
from workflow_support.sections.fields import Baseline, Name, partial
from workflow_support.sections.training import DomainsSection, IngestSection, LayeredScenesSection, PatchVariant


class Config(Settings):
    """Configuration of the defocus workflow."""

    seed: Whole = Field(
        ge=0, description="Seed of all that is drawn: patches, initial weights, order, augmentation, scenes."
    )
    ingest: IngestSection = Field(description="Which sharp photographs are taken, and how they are split.")
    patches: PatchConfig = Field(description="How patches are cut and blurred.")
    shards: Count = Field(
        description="Jobs that share the synthesis of a split; a cluster runs them side by side. The order of the "
        "patches, and so the networks trained on them, depends on this number."
    )
    train: TrainConfig = Field(description="Training settings common to all backbones.")
    backbones: Annotated[list[Name], Field(min_length=1)] = Field(
        description="Networks to train and compare; modules of `defocus_core/networks/backbones`."
    )
    train_overrides: dict[Name, partial(TrainConfig, "TrainOverrides")] = Field(  # type: ignore[valid-type]
        description="Training settings of one backbone that replace those of `train`."
    )
    evaluate_shipped: list[Name] = Field(
        [],
        description="Models in the package whose accuracy on the test patches is told beside the trained networks'; "
        "those of other levels answer with the nearest.",
    )
    patch_variants: dict[Name, PatchVariant] = Field(
        description="Other ways to make patches and train on them, by name; made only where maps ask for their models."
    )
    domains: DomainsSection = Field(
        DomainsSection(), description="Networks trained on some patches and tested on others."
    )
    layered_scenes: LayeredScenesSection = Field(
        description="The dense network and its training scenes; made only when asked for."
    )
    maps: MapsSection = Field(description="How defocus maps are made.")
    map_variants: dict[Name, partial(MapsSection, "MapChanges")] = Field(  # type: ignore[valid-type]
        description="Other settings of `maps` by name, scored on every set of `benchmarks` beside them."
    )
    baselines: list[Baseline] = Field(
        description="Blur measures scored beside the maps: `lbp` is of Yi & Eramian 2016, `hifst` of Golestaneh & "
        "Karam 2017, `edge_ratio` and `edge_ratio_matting` of Zhuo & Sim 2011, spread by a guided filter or by the "
        "matting Laplacian, `edge_scale` of Karaali & Jung 2018."
    )
    benchmarks: list[Name] = Field(description="Sets to map and score, by their names in `benchmark_sets`.")
    benchmark_sets: dict[Name, BenchmarkSet] = Field(description="Benchmark sets by name.")
    published: dict[Name, Published] = Field(description="Photographs whose published maps are shown beside ours.")
    no_reference: Annotated[list[Photographs], Field(min_length=1)] = Field(
        description="Photographs that are sharpened and scored without a truth. Scores are those whose packages are "
        "installed (requirements-scores.txt)."
    )
    stacks: dict[Name, Stacks] = Field(description="Sets of stacks to fuse and score by name.")
    applications: ApplicationsSection = Field(description="Scenes on which the applications are measured.")


def plain_configuration(config: Config) -> dict[str, Any]:
    """Return a configuration of plain values, the same for equal ones however they are written.

    It has every key with its value or default, null where there is none; what replaces other keys has those alone that
    it replaces. A number without a fraction is a whole one.
    """
    return _plain(config.model_dump(mode="json"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def patch_variants(config: dict) -> dict[str, dict]:
    """Return the patch variants of a plain configuration: `backbone`, `patches` and `train`, filled up."""
    return {
        name: {
            "backbone": variant["backbone"],
            "patches": {**config["patches"], **variant["patches"]},
            "train": {**config["train"], **variant["train"]},
        }
        for name, variant in config["patch_variants"].items()
    }


def map_variants(config: dict) -> dict[str, dict]:
    """Return the settings of maps of a plain configuration: `default`, and each variant filled up with its keys."""
    changes = {"default": {}, **config["map_variants"]}
    return {name: {**config["maps"], **changed} for name, changed in changes.items()}
