"""Rule scenes: photographs that are sharp all over -> training scenes of known blur."""

import sys

import pandas as pd

from defocus_core import backbones, composites, images, parallel, provenance, sources

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)
split = snakemake.wildcards.split
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
paths = [sources.locate(path) for path in table[table.split == split].path]
judge, share = backbones.load(snakemake.input.judge), snakemake.params.sharp_share
sharp = []
for image in map(images.read, paths):
    if composites.is_sharp(image, share=share, model=judge):
        sharp.append(images.grey(image))
print(f"{len(sharp)} of {len(paths)} photographs are sharp all over")
composites.write(
    sharp,
    snakemake.output.scenes,
    recipe=composites.Recipe(**snakemake.params.recipe),
    count=snakemake.params.scenes,
    seed=composites.seed_of(snakemake.params.seed, split),
)
provenance.record(snakemake)
