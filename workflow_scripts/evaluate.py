"""Rule evaluate: one trained backbone on the test patches."""

import json
import sys

import torch

from defocus_core import atomic, backbones, metrics, plots, provenance, store, training, training_data

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
model = backbones.load(snakemake.input.model).to(training.device())
columns = store.read(snakemake.input.test)
logits = training.logits(model, training_data.Patches.of(columns, training.device()))
scores = metrics.classification(logits.numpy(), columns["level"], columns["sigmas"])
atomic.write_text(snakemake.output.metrics, json.dumps(scores, indent=1))
plots.confusion(scores["confusion"], snakemake.output.confusion, title=snakemake.wildcards.backbone)
provenance.record(snakemake)
