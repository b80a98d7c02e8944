# Sharp photographs -> patches -> training -> comparison -> defocus maps -> applications.
from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/recipes.smk"
include: "rules/compare.smk"
include: "rules/maps.smk"
include: "rules/applications.smk"


onstart:
    keep_others_out()


rule all:
    default_target: True
    input:
        "results/comparison/accuracy.csv",
        expand("results/benchmarks/{set}/scores.csv", set=SETS),
        expand(
            "results/variants/{set}/scores.csv", set=SETS if config["variants"] else []
        ),
        expand("results/published/{published}.png", published=PUBLISHED),
        expand(
            "results/applications/{application}/scores.csv", application=APPLICATIONS
        ),
        "results/applications/no_reference/scores.csv",
        expand("results/applications/fuse_{stacks}/scores.csv", stacks=STACKS),
