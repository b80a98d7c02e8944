"""Rule scenes: photographs that are sharp all over -> training scenes of known blur."""

import sys

import pandas as pd

from defocus_core import composites, images, provenance, sources

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
split = snakemake.wildcards.split
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
photographs = [images.read(sources.locate(path)) for path in table[table.split == split].path]
sharp = [image for image in photographs if composites.is_sharp(image, share=snakemake.params.sharp_share)]
print(f"{len(sharp)} of {len(photographs)} photographs are sharp all over")
composites.write(
    [images.grey(image) for image in sharp],
    snakemake.output.scenes,
    recipe=composites.Recipe(**snakemake.params.recipe),
    count=snakemake.params.scenes,
    seed=composites.seed_of(snakemake.params.seed, split),
)
provenance.record(snakemake)
