"""Rules join, join_patch_variant: the shards of one split -> one virtual HDF5 file."""

from defocus_core.training.patch_store import join_shards
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
print(join_shards(snakemake.input, snakemake.output.patches), "patches")
record_provenance(snakemake)
