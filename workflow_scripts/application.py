"""Rule application: one of the applications on scenes whose truth is known."""

import importlib
import sys

from defocus_core import atomic, backbones, maps, parallel, plots, provenance
from defocus_core.experiments import Setup

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)

experiment = importlib.import_module(f"defocus_core.experiments.{snakemake.wildcards.application}")
setup = Setup(
    backbones.load(snakemake.input.model),
    maps.arguments_from(snakemake.params.maps),
    snakemake.params.seed,
)
scores, panels = experiment.run(setup, **snakemake.params.settings)
atomic.write_text(snakemake.output.scores, scores.to_csv(index=False))
plots.side_by_side(panels, snakemake.output.figure, columns=experiment.COLUMNS)
provenance.record(snakemake)
