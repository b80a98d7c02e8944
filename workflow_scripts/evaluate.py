"""Rule evaluate: one trained backbone on the test patches, and how it learned."""

import json
import sys

import pandas as pd

from defocus_core import (
    atomic,
    backbones,
    metrics,
    parallel,
    plots,
    provenance,
    store,
    training,
    training_data,
)

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)
model = backbones.load(snakemake.input.model).to(training.device())
columns = store.read(snakemake.input.test)
logits = training.logits(model, training_data.Patches.of(columns, training.device()))
scores = metrics.classification(logits.numpy(), columns["level"], columns["sigmas"])
atomic.write_text(snakemake.output.metrics, json.dumps(scores, indent=1))
plots.confusion(scores["confusion"], snakemake.output.confusion, title=snakemake.wildcards.backbone)
history = pd.read_csv(snakemake.input.history)
lines = {part: (history.epoch, history[f"{part}_accuracy"]) for part in ("train", "validation")}
plots.curves(lines, snakemake.output.curve, x="epoch", y="accuracy")
provenance.record(snakemake)
