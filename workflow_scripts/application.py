"""Rule application: one of the applications on scenes whose truth is known."""

import importlib

from defocus_core.evaluation import plots
from defocus_core.evaluation.experiments.setup import Setup
from defocus_core.io import atomic
from defocus_core.maps.config import map_arguments_from
from defocus_core.networks.storage import load_model
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)

experiment = importlib.import_module(f"defocus_core.evaluation.experiments.{snakemake.wildcards.application}")
setup = Setup(
    load_model(snakemake.input.model),
    map_arguments_from(snakemake.params.maps),
    snakemake.params.seed,
)
scores, panels = experiment.run(setup, **snakemake.params.settings)
atomic.write_text(snakemake.output.scores, scores.to_csv(index=False))
plots.plot_panels(panels, snakemake.output.figure, columns=experiment.COLUMNS)
record_provenance(snakemake)
