"""Rule scenes: photographs that are sharp all over -> training scenes of known blur."""

import sys

import pandas as pd

from defocus_core import composites, images, sources

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
settings, split = snakemake.params.settings, snakemake.wildcards.split
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
greys = [images.grey(images.read(sources.locate(path))) for path in table[table.split == split].path]
sharp = [grey for grey in greys if composites.is_sharp(grey, share=settings["sharp_share"])]
print(f"{len(sharp)} of {len(greys)} photographs are sharp all over")
composites.write(
    sharp,
    snakemake.output.scenes,
    recipe=composites.Recipe(**settings["recipe"]),
    count=settings["count"][split],
    seed=composites.seed_of(snakemake.params.seed, split),
)
