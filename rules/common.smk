import fcntl
import functools
import os
import platform
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import sourcecache_entry
from snakemake.logging import logger

from defocus_core.constants import DEFAULT_MODEL
from defocus_core.evaluation import benchmark_sets, external_programs, no_reference
from defocus_core.io.listing import list_images
from defocus_core.io.package_images import PACKAGES, package_version
from defocus_core.networks import registry
from workflow_support import configuration, provenance, sources

ROOT = Path(workflow.basedir)

try:
    configuration.check(config, ROOT)
except configuration.ConfigError as error:
    raise WorkflowError(str(error))
BACKBONES = config["backbones"]
SETS = config["benchmarks"]
STACKS = list(config["stacks"])
PUBLISHED = list(config["published"])
RECIPES = configuration.recipes(config)
VARIANTS = configuration.variants(config)
APPLICATIONS = list(config["applications"])


wildcard_constraints:
    backbone="|".join(BACKBONES),
    set="|".join(SETS),
    stacks="|".join(STACKS),
    published="|".join(PUBLISHED),
    recipe="|".join(RECIPES),
    variant="|".join(VARIANTS),
    split="train|validation|test",
    shard=r"\d+",


def keep_others_out():
    """Let no second run into this folder; the lock ends with this process, however it ends."""
    lock = open(".snakemake/run.lock", "a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise WorkflowError(
            f"another run is at work in this folder ({lock.read()}); "
            "wait for its end or stop it, then run again"
        )
    except (
        OSError
    ) as error:  # a file system without locks: nothing keeps a second run out
        logger.warning(f"this folder cannot be locked against a second run: {error}")
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {platform.node()}")
    lock.flush()
    globals()["RUN_LOCK"] = lock


def code(script, *modules):
    """Digest of a script and of the library modules it reaches: a rule reruns when it changes.

    Modules that the script imports by a name it computes are given besides.
    """
    library = [ROOT / "defocus_core" / module for module in modules]
    files = [ROOT / "workflow_scripts" / script, *library]
    return "-".join(provenance.code_digest(file, ROOT) for file in files)


def network(name):
    """Module of a backbone, for `code`: the classifiers import it by its name."""
    return registry.backbone_file(name).relative_to(ROOT / "defocus_core")


def network_of(model):
    """Module of the backbone of a model in the configuration, such as shipped/scenenet or mine.safetensors."""
    if model.endswith(".safetensors"):
        return network(registry.backbone_of_weights(model))
    origin, _, name = model.partition("/")
    return network(RECIPES[name]["backbone"] if origin == "recipe" else name)


def on_disk(path):
    """Mark a file that every machine has under this path, so that no default storage is asked for it.

    `local` would do that too, but without a shared file system its jobs run where Snakemake does.
    """
    return sourcecache_entry(str(path), str(path))


def watched(listed, key):
    """Photographs of sources that lie in folders."""
    try:
        return [on_disk(path) for path in sources.folder_files(listed)]
    except (OSError, sources.SourceError) as error:
        raise WorkflowError(f"{key}: {error}")


def downloads():
    """Addresses of the sources on the web by the digest of what lies there."""
    found = [source for source in config["ingest"]["sources"] if "url" in source]
    return {source["sha256"]: source["url"] for source in found}


def source_versions():
    return {
        source["package"]: package_version(source["package"])
        for source in config["ingest"]["sources"]
        if "package" in source
    }


def train_settings(wildcards):
    """The common training settings, overridden by the backbone's own."""
    return {**config["train"], **config["train_of"].get(wildcards.backbone, {})}


def model_file(name):
    """A backbone or a recipe trained here, a model that comes with the package, or a file of weights."""
    if name.endswith(".safetensors"):
        return on_disk(name)
    origin, _, name = name.partition("/")
    if origin == "shipped":
        return on_disk(
            os.path.relpath(
                ROOT / "defocus_core/networks/weights" / f"{name}.safetensors"
            )
        )
    folder = {"trained": "models", "recipe": "recipes"}[origin]
    return f"results/{folder}/{name}/model.safetensors"


def set_folders(wildcards, input):
    """Folders of photographs and of truth of a set; the job's input where the set is `embedded`."""
    entry = config["sets"][wildcards.set]
    if entry["truth"] == "embedded":
        return f"{input.files}/images", f"{input.files}/sigma"
    return entry["images"], entry["truth_folder"]


def set_pairing(name):
    """How the photographs of a set are chosen and find their truths: arguments of `benchmark_sets.pair_images`."""
    entry = config["sets"][name]
    return {
        **entry.get("subset", {}),
        **{key: entry[key] for key in ["replace"] if key in entry},
    }


def peer_files(folders):
    """What lies in the folders of other methods' results, so that a replaced file scores anew."""
    return [on_disk(p) for folder in folders for p in peer_maps(folder).values()]


def peer_maps(folder):
    """Another method's results by stem."""
    if not Path(folder).is_dir():
        raise WorkflowError(f"peers: no folder {folder!r} of another method's results")
    return benchmark_sets.maps_by_stem(folder)


def shard_peers(wildcards):
    """Other methods' maps of the photographs in one shard of a set."""
    peers = config["sets"][wildcards.set].get("peers", {})
    found = []
    for name, peer in peers.items():
        files = peer_maps(peer["folder"])
        names = shard_names(wildcards, files)
        missing = [stem for stem in names if stem not in files]
        if missing:
            raise WorkflowError(
                f"sets.{wildcards.set}.peers.{name}: {peer['folder']} has no map for {len(missing)} "
                f"photographs, such as {missing[0]}"
            )
        found += [on_disk(files[stem]) for stem in names]
    return found


def shard_names(wildcards, peer):
    """Photographs in one shard of a set; of an embedded set, which is made later, those of a peer."""
    count, shard = set_shards(wildcards.set), int(wildcards.shard)
    if config["sets"][wildcards.set]["truth"] == "embedded":
        return [stem for stem in peer if benchmark_sets.shard_of(stem, count) == shard]
    return [pair.name for pair in set_members(wildcards.set)[shard]]


def shards(split, folder="results/patches"):
    return [f"{folder}/shards/{split}_{shard}.h5" for shard in range(config["shards"])]


def set_shards(name):
    """Jobs that share the maps and scores of a set."""
    return config["sets"][name].get("shards", 1)


@functools.cache
def set_members(name):
    """Pairs of a set on disk, by shard."""
    entry = config["sets"][name]
    folders = entry["images"], entry["truth_folder"]
    members = benchmark_sets.pair_images(*folders, **set_pairing(name))
    return benchmark_sets.shard_pairs(members, set_shards(name))


def set_files(name, shards):
    """Photographs and truths of some shards of a set, as they lie on disk."""
    entry = config["sets"][name]
    if entry["truth"] == "embedded":
        return [f"results/sets/{name}"]
    chosen = [pair for shard in shards for pair in set_members(name)[shard]]
    table = [entry["radius_table"]] if "radius_table" in entry else []
    found = [path for pair in chosen for path in (pair.image, pair.truth)]
    return [on_disk(path) for path in [*found, *table]]


def shard_photographs(wildcards):
    """Photographs of one shard of a set: a map depends on no truth."""
    if config["sets"][wildcards.set]["truth"] == "embedded":
        return [f"results/sets/{wildcards.set}"]
    members = set_members(wildcards.set)[int(wildcards.shard)]
    return [on_disk(pair.image) for pair in members]


def shard_files(wildcards):
    return set_files(wildcards.set, [int(wildcards.shard)])


def all_files(wildcards):
    return set_files(wildcards.set, range(set_shards(wildcards.set)))


def stack_files(wildcards):
    settings = config["stacks"][wildcards.stacks]
    shots = [
        on_disk(p)
        for s in benchmark_sets.list_stacks(settings["stacks"])
        for p in s.shots
    ]
    return shots + peer_files(settings.get("peers", {}).values())


def application_files(wildcards):
    """Photographs that an application composes its scenes from, where they are not scikit-image's."""
    folder = config["applications"][wildcards.application].get("photographs")
    if folder and not Path(folder).is_dir():
        raise WorkflowError(
            f"applications.{wildcards.application}.photographs: no folder {folder!r}"
        )
    return [on_disk(path) for path in list_images(folder)] if folder else []


def published_files(wildcards):
    files = config["published"][wildcards.published]
    return {name: on_disk(path) for name, path in files.items()}
