# Sharp photographs -> patches -> training -> comparison -> defocus maps -> applications.
from snakemake.utils import min_version

min_version("9.0")


ROOT = workflow.current_basedir.get_path_or_uri(secret_free=True)


configfile: f"{ROOT}/config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/compare.smk"
include: "rules/maps.smk"
include: "rules/applications.smk"


onstart:
    run_lock, warning = lock_run(".snakemake/run.lock")
    if warning:
        logger.warning(warning)


rule all:
    default_target: True
    input:
        "results/comparison/accuracy.csv",
        expand("results/models/{backbone}/history.png", backbone=BACKBONES),
        expand("results/benchmarks/{set}/scores.csv", set=SETS),
        [
            f"results/map_pictures/{name}/{shard}"
            for name in SETS
            for shard in range(select.set_shards(name))
        ],
        expand(
            "results/map_variants/{set}/scores.csv",
            set=SETS if config["map_variants"] else [],
        ),
        expand("results/published/{published}.png", published=config["published"]),
        expand(
            "results/applications/{application}/scores.csv", application=APPLICATIONS
        ),
        "results/applications/no_reference/scores.csv",
        expand("results/applications/fuse_{stacks}/scores.csv", stacks=config["stacks"]),
