"""Rule variant: maps by one variant of the settings, scored on one set."""

import sys

import pandas as pd
import torch

from defocus_core import atomic, backbones, benchmark, images, maps, provenance, sets

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
arguments = maps.arguments_from(snakemake.params.maps)
model = backbones.load(snakemake.input.model)
methods = {"map": lambda pair, grey: maps.estimate(images.read(pair.image), model=model, **arguments)}
members = sets.pairs(*snakemake.params.folders, **snakemake.params.pairing)
settings = snakemake.params.settings
if settings["truth"] == "masks":
    row = benchmark.score_masks(methods, members, blurred=settings["blurred"])["map"].summary()
else:
    scores = benchmark.score_sigma(methods, members, settings)
    row = scores.drop(columns=["method", "image", "fitted"]).mean().to_dict()
table = pd.DataFrame([{"variant": snakemake.wildcards.variant, **row}])
atomic.write_text(snakemake.output.row, table.to_csv(index=False))
provenance.record(snakemake)
