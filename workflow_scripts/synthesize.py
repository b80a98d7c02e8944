"""Rules synthesize, synthesize_patch_variant: a shard of the photographs of one split -> patches in HDF5."""

import pandas as pd

from defocus_core.training.patches import PatchConfig, write_patches
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance
from workflow_support.sources import locate_image

start_job(snakemake)
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
mine = table[table.split == snakemake.wildcards.split]
shard = (int(snakemake.wildcards.shard), snakemake.params.shards)
count = write_patches(
    zip(mine.sha256, map(locate_image, mine.path), strict=True),
    snakemake.output.patches,
    config=PatchConfig(**snakemake.params.patches),
    seed=snakemake.params.seed,
    parameters={"patches": snakemake.params.patches, "seed": snakemake.params.seed},
    shard=shard,
)
print(f"{count} patches, shard {shard[0]} of {shard[1]}, {len(mine)} photographs in the split")
record_provenance(snakemake)
