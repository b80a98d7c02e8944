"""Rule fuse_set: every stack of shots of a set, fused, and scored beside other methods and their results."""

from pathlib import Path

from defocus_core.evaluation import plots
from defocus_core.evaluation.benchmark_sets import list_stacks
from defocus_core.evaluation.experiments import fuse
from defocus_core.evaluation.experiments.setup import Setup
from defocus_core.evaluation.tables import write_table
from defocus_core.io import atomic
from defocus_core.maps.config import map_arguments_from
from defocus_core.networks.storage import load_model
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)

settings = snakemake.params.settings
each, panels = fuse.fuse_stacks(
    Setup(load_model(snakemake.input.model), map_arguments_from(snakemake.params.maps)),
    list_stacks(settings["folder"]),
    peers={name: Path(folder) for name, folder in settings["peers"].items()},
    commands=settings["commands"],
    folder=Path(snakemake.output.folder),
)
means = each.drop(columns="stack").groupby("method", as_index=False).mean()
atomic.write_text(snakemake.output.stacks, each.to_csv(index=False))
write_table(means.sort_values("q_abf", ascending=False), snakemake.output.scores, snakemake.output.markdown)
plots.plot_panels(panels, snakemake.output.figure, columns=6)
record_provenance(snakemake)
