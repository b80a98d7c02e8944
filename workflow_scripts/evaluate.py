"""Rules evaluate, evaluate_shipped: one model on the test patches."""

import json
from pathlib import Path

from defocus_core.evaluation import plots
from defocus_core.evaluation.comparison import score_classifier
from defocus_core.io import atomic
from defocus_core.networks.storage import load_model
from defocus_core.training.loop import default_device
from defocus_core.training.patch_store import read_patches
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
model = load_model(snakemake.input.model).to(default_device())
scores = score_classifier(model, read_patches(snakemake.input.test))
atomic.write_text(snakemake.output.metrics, json.dumps(scores, indent=1))
name = Path(snakemake.output.metrics).parent.name
plots.plot_confusion(scores["confusion"], snakemake.output.confusion, title=name)
record_provenance(snakemake)
