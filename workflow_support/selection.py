"""Which files and settings each rule takes, from the configuration."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from defocus_core.evaluation.benchmark_sets import (
    ImagePair,
    list_stacks,
    maps_by_stem,
    pair_images,
    shard_of,
    shard_pairs,
)
from defocus_core.io.listing import list_images
from defocus_core.io.package_images import package_version
from defocus_core.networks import registry
from workflow_support import sources
from workflow_support.configuration import map_variants, patch_variants, plain_configuration
from workflow_support.configuration_checks import check_configuration, shipped_file
from workflow_support.provenance import code_digest, reached_modules
from workflow_support.sections.benchmarks import Photographs
from workflow_support.sections.training import Source

MODEL_FOLDERS = {"trained": "models", "patch_variant": "patch_variants"}


class SelectionError(ValueError):
    """A file or folder that the configuration names and that is not there."""


class Selection:
    """What the rules of one configuration take.

    Parameters
    ----------
    config : as it is written
    root : of the project

    Attributes
    ----------
    typed, config : the configuration, checked, and the same of plain values with every key

    Raises
    ------
    ConfigError
        If the configuration cannot work.
    """

    def __init__(self, config: dict, root: str | Path):
        self._root = Path(root)
        self.typed = check_configuration(config, root)
        self.config = plain_configuration(self.typed)
        self.patch_variants = patch_variants(self.config)
        self.map_variants = map_variants(self.config)
        self._members = functools.cache(self._read_members)

    def code(self, script: str, *modules: str | Path) -> str:
        """Return a digest of a script and of all modules that it reaches: a rule reruns when it changes.

        Modules that the script imports by a name it computes are given besides, as paths in `defocus_core`.
        """
        return "-".join(code_digest(file, self._root) for file in self._code_files(script, *modules))

    def small_weights(self, script: str, *modules: str | Path) -> list[str]:
        """Return the weights of the applications' own networks that a script reaches, parameters as of `code`."""
        applications = self._root / "defocus_core/applications"
        reached = {path for file in self._code_files(script, *modules) for path in reached_modules(file, self._root)}
        folders = sorted({path.parent for path in reached if applications in path.parents})
        return [os.path.relpath(file) for folder in folders for file in sorted(folder.glob("weights/*.safetensors"))]

    def network_module(self, backbone: str) -> Path:
        """Return the module of a network, for `code`: the library imports it by its name."""
        return registry.backbone_file(backbone).relative_to(Path(registry.__file__).parents[1])

    def model_module(self, model: str) -> Path:
        """Return the module of the network of a model such as shipped/NAME or mine.safetensors."""
        origin, _, name = model.partition("/")
        if model.endswith(".safetensors") or origin == "shipped":
            return self.network_module(registry.backbone_of_weights(self.model_file(model)[0]))
        return self.network_module(self.patch_variants[name]["backbone"] if origin == "patch_variant" else name)

    def model_file(self, model: str) -> tuple[str, bool]:
        """Return the file of a model, and whether it lies on disk before any job has run."""
        if model.endswith(".safetensors"):
            return model, True
        origin, _, name = model.partition("/")
        if origin == "shipped":
            return os.path.relpath(shipped_file(self._root, name)), True
        return f"results/{MODEL_FOLDERS[origin]}/{name}/model.safetensors", False

    def source_files(self) -> list[str]:
        """Return the sharp photographs that lie in folders."""
        return _files_of(self.config["ingest"]["sources"], "ingest.sources")

    def silhouettes(self) -> list[str]:
        """Return the silhouettes of people in sharp photographs.

        Raises
        ------
        SelectionError
            If there are none where the configuration names a folder of them.
        """
        folder = self.typed.layered_scenes.silhouettes
        found = sorted(map(str, Path(folder).glob("*/*.png"))) if folder else []
        if folder and not found:
            raise SelectionError(
                f"layered_scenes.silhouettes: no FOLDER/NAME.png in {folder!r}; tools/cut_people.py makes them"
            )
        return found

    def no_reference_files(self) -> list[str]:
        """Return the photographs without a truth that lie in folders."""
        return _files_of(self.config["no_reference"], "no_reference")

    def source_versions(self) -> dict[str, str]:
        """Return the versions of the packages whose photographs are ingested."""
        return _package_versions(self.typed.ingest.sources)

    def no_reference_versions(self) -> dict[str, str]:
        """Return the versions of the packages whose photographs are sharpened without a truth."""
        return _package_versions(self.typed.no_reference)

    def downloads(self) -> dict[str, str]:
        """Return the addresses of the sources on the web, by the digest of what lies there."""
        return {source.sha256: source.url for source in self.typed.ingest.sources if source.url and source.sha256}

    def domain_models(self) -> list[str]:
        """Return the models whose accuracy across domains is asked for.

        Raises
        ------
        SelectionError
            If there are none.
        """
        models = self.typed.domains.models
        if not models:
            raise SelectionError("domains.models: there are none; name those to test, as config/published.yaml does")
        return models

    def train_settings(self, backbone: str) -> dict:
        """Return the common training settings, overridden by the network's own."""
        return {**self.config["train"], **self.config["train_overrides"].get(backbone, {})}

    def shard_patches(self, split: str, folder: str = "results/patches") -> list[str]:
        """Return the shards of a split's patches."""
        return [f"{folder}/shards/{split}_{shard}.h5" for shard in range(self.typed.shards)]

    def set_shards(self, name: str) -> int:
        """Return the number of jobs that share the maps and scores of a set."""
        return self.typed.benchmark_sets[name].shards

    def set_folders(self, name: str, embedded: str) -> tuple[str, str]:
        """Return the folders of photographs and of truths of a set; those under `embedded` where it is made here."""
        entry = self.config["benchmark_sets"][name]
        if entry["truth"] == "embedded":
            return f"{embedded}/images", f"{embedded}/sigma"
        return entry["images"], entry["truth_folder"]

    def set_pairing(self, name: str) -> dict:
        """Return how the photographs of a set are chosen and find their truths: arguments of `pair_images`."""
        entry = self.config["benchmark_sets"][name]
        return {**(entry["subset"] or {}), "replace": entry["replace"]}

    def photographs(self, name: str, shard: int) -> list[str]:
        """Return the photographs of one shard of a set on disk: a map depends on no truth."""
        return [str(pair.image) for pair in self._shard(name, shard)]

    def pairs(self, name: str, shards: Iterable[int]) -> list[str]:
        """Return photographs and truths, in turns, of some shards of a set on disk."""
        members = [pair for shard in shards for pair in self._shard(name, shard)]
        return [str(path) for pair in members for path in (pair.image, pair.truth)]

    def tables(self, name: str) -> list[str]:
        """Return the table of radii of a set, if it has one."""
        table = self.typed.benchmark_sets[name].radius_table
        return [table] if table else []

    def made_shard(self, name: str, shard: int) -> dict:
        """Return which photographs of a set that is made here are of a shard, for `made_pairs`; {} of one on disk."""
        if not self.is_embedded(name):
            return {}
        subset = self.config["benchmark_sets"][name]["subset"] or {}
        return {"shard": shard, "shards": self.set_shards(name), **subset}

    def score_settings(self, name: str) -> dict:
        """Return how a set is scored, but for which photographs it has."""
        entry = self.config["benchmark_sets"][name]
        return {key: entry[key] for key in ("truth", "blurred_value", "radius_table", "peers")}

    def is_embedded(self, name: str) -> bool:
        """Say whether a set is made here."""
        return self.typed.benchmark_sets[name].truth == "embedded"

    def peer_maps(self, name: str, shard: int) -> list[str]:
        """Return other methods' maps of the photographs in one shard of a set.

        Raises
        ------
        SelectionError
            If a method has no folder, or lacks a map.
        """
        chosen: list[str] = []
        for peer, entry in self.typed.benchmark_sets[name].peers.items():
            if not Path(entry.folder).is_dir():
                raise SelectionError(
                    f"benchmark_sets.{name}.peers.{peer}: no folder {entry.folder!r} of another method's results"
                )
            maps = maps_by_stem(entry.folder)
            stems = self._stems(name, shard, list(maps))
            missing = [stem for stem in stems if stem not in maps]
            if missing:
                raise SelectionError(
                    f"benchmark_sets.{name}.peers.{peer}: {entry.folder} has no map for {len(missing)} photographs, "
                    f"such as {missing[0]}"
                )
            chosen += [str(maps[stem]) for stem in stems]
        return chosen

    def stack_files(self, name: str) -> list[str]:
        """Return the shots of a set of stacks, and other methods' results, so that a replaced file scores anew.

        Raises
        ------
        SelectionError
            If a method lacks the result of a stack.
        """
        entry = self.typed.stacks[name]
        stacks = list_stacks(entry.folder)
        chosen = [str(shot) for stack in stacks for shot in stack.shots]
        for peer, folder in entry.peers.items():
            results = [Path(folder) / f"{stack.name}.png" for stack in stacks]
            missing = [file for file in results if not file.is_file()]
            if missing:
                raise SelectionError(
                    f"stacks.{name}.peers.{peer}: no results of {len(missing)} stacks, such as {missing[0]}"
                )
            chosen += map(str, results)
        return chosen

    def application_files(self, application: str) -> list[str]:
        """Return the photographs on disk that an application composes its scenes from, or shows crops of."""
        settings = self.config["applications"][application]
        named = [("photographs", settings.get("photographs"))]
        named += [(f"folders.{index}", folder) for index, folder in enumerate(settings.get("folders") or [])]
        named += [(f"crops.{index}.folder", crop["folder"]) for index, crop in enumerate(settings.get("crops", []))]
        chosen: list[str] = []
        for key, folder in named:
            if folder and not Path(folder).is_dir():
                raise SelectionError(f"applications.{application}.{key}: no folder {folder!r}")
            chosen += map(str, list_images(folder) if folder else [])
        return chosen

    def _code_files(self, script: str, *modules: str | Path) -> list[Path]:
        library = [self._root / "defocus_core" / module for module in modules]
        return [self._root / "workflow_scripts" / script, *library]

    def _shard(self, name: str, shard: int) -> Sequence[ImagePair]:
        return self._members(name)[shard]

    def _stems(self, name: str, shard: int, peers: list[str]) -> list[str]:
        """Return the photographs in one shard of a set; of an embedded set, which is made later, those of a peer."""
        if self.is_embedded(name):
            return [stem for stem in peers if shard_of(stem, self.set_shards(name)) == shard]
        return [pair.name for pair in self._shard(name, shard)]

    def _read_members(self, name: str) -> list[list[ImagePair]]:
        members = pair_images(*self.set_folders(name, ""), **self.set_pairing(name))
        return shard_pairs(members, self.set_shards(name))


def _package_versions(listed: Sequence[Source | Photographs]) -> dict[str, str]:
    return {source.package: package_version(source.package) for source in listed if source.package}


def _files_of(listed: list[dict], key: str) -> list[str]:
    try:
        return sources.folder_files(listed)
    except (OSError, ValueError) as error:
        raise SelectionError(f"{key}: {error}") from error


def without_braces(files: list[str]) -> list[str]:
    """Return files; raise SelectionError if Snakemake would take a part of a name in braces for a wildcard."""
    braced = [file for file in files if re.search(r"\{.*\}", file)]
    if braced:
        raise SelectionError(f"{braced[0]}: a path with braces stands for many files in Snakemake; rename it")
    return files
