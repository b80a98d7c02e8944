"""Rule training_curve: how one backbone learned."""

import pandas as pd

from defocus_core.evaluation import plots
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
history = pd.read_csv(snakemake.input.history)
lines = {part: (history.patch_steps, history[f"{part}_accuracy"]) for part in ("train", "validation")}
plots.plot_curves(lines, snakemake.output.curve, x="patches seen", y="accuracy")
record_provenance(snakemake)
