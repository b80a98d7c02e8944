"""Rules join, join_recipe: the shards of one split -> one virtual HDF5 file."""

import sys

from defocus_core import provenance, store

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
print(store.join(snakemake.input, snakemake.output.patches), "patches")
provenance.record(snakemake)
