"""Rule evaluate: one trained backbone on the test patches, and how it learned."""

import json

import pandas as pd

from defocus_core.evaluation import metrics, plots
from defocus_core.io import atomic
from defocus_core.networks.storage import load_model
from defocus_core.training.datasets import PatchDataset
from defocus_core.training.loop import default_device, predict_logits
from defocus_core.training.patch_store import read_patches
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
model = load_model(snakemake.input.model).to(default_device())
columns = read_patches(snakemake.input.test)
logits = predict_logits(model, PatchDataset.of(columns, default_device()))
scores = metrics.classification_scores(logits.numpy(), columns["level"], columns["sigmas"])
atomic.write_text(snakemake.output.metrics, json.dumps(scores, indent=1))
plots.plot_confusion(scores["confusion"], snakemake.output.confusion, title=snakemake.wildcards.backbone)
history = pd.read_csv(snakemake.input.history)
lines = {part: (history.epoch, history[f"{part}_accuracy"]) for part in ("train", "validation")}
plots.plot_curves(lines, snakemake.output.curve, x="epoch", y="accuracy")
record_provenance(snakemake)
