"""Rules synthesize, synthesize_recipe: a shard of the photographs of one split -> patches in HDF5."""

import sys

import cv2
import pandas as pd

from defocus_core import patches, provenance, sources

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
cv2.setNumThreads(snakemake.threads)
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
mine = table[table.split == snakemake.wildcards.split]
shard = (int(snakemake.wildcards.shard), snakemake.params.shards)
count = patches.write(
    zip(mine.sha256, map(sources.locate, mine.path), strict=True),
    snakemake.output.patches,
    recipe=patches.recipe_from(snakemake.params.recipe),
    seed=snakemake.params.seed,
    parameters={"patches": snakemake.params.recipe, "seed": snakemake.params.seed},
    shard=shard,
)
print(f"{count} patches, shard {shard[0]} of {shard[1]}, {len(mine)} photographs in the split")
provenance.record(snakemake)
