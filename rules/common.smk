import os

from snakemake.exceptions import WorkflowError
from snakemake.io import sourcecache_entry

from defocus_core.constants import DEFAULT_MODEL, PASSIVE_THREADS
from defocus_core.evaluation.external_programs import installed_programs
from defocus_core.evaluation.no_reference import available_scores
from defocus_core.io.package_images import package_version
from workflow_support.run_lock import LockedError, lock_run
from workflow_support.selection import Selection, without_braces

for key, value in PASSIVE_THREADS.items():  # jobs inherit it
    os.environ.setdefault(key, value)

try:
    select = Selection(config, ROOT)
except ValueError as error:
    raise WorkflowError(str(error))
config.update(select.config)
BACKBONES = config["backbones"]
DENSE = config["layered_scenes"]["network"]
SETS = config["benchmarks"]
APPLICATIONS = list(config["applications"])


def one_of(names):
    """A wildcard that is one of some names; of no names, it is nothing."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    backbone=one_of(BACKBONES),
    set=one_of(config["benchmark_sets"]),
    stacks=one_of(config["stacks"]),
    published=one_of(config["published"]),
    patch_variant=one_of(select.patch_variants),
    map_variant=one_of(select.map_variants),
    shipped=one_of(config["evaluate_shipped"]),
    split="train|validation|test",
    shard=r"\d+",


def on_disk(find, *arguments):
    """Mark files that every machine has under the same path, so that no default storage is asked for them.

    `local` would do that too, but without a shared file system its jobs run where Snakemake does.
    """
    try:
        return [
            sourcecache_entry(path, path) for path in without_braces(find(*arguments))
        ]
    except (OSError, ValueError) as error:
        raise WorkflowError(str(error))


def model_file(model):
    """A network trained here, a model that comes with the package, or a file of weights."""
    path, exists = select.model_file(model)
    return on_disk(lambda: [path])[0] if exists else path


def domain_models(wildcards):
    """Files of the models that are tested on several domains."""
    try:
        return [model_file(model) for model in select.domain_models()]
    except ValueError as error:
        raise WorkflowError(str(error))


def set_files(name, find, *arguments):
    """Files of a set on disk, or the folder of a set that is made here."""
    return (
        f"results/sets/{name}"
        if select.is_embedded(name)
        else on_disk(find, name, *arguments)
    )


def shards_of(pattern):
    """One file for each shard of the set in a pattern."""
    return lambda wildcards: expand(
        pattern, shard=range(select.set_shards(wildcards.set)), **wildcards
    )
