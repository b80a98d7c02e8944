"""Rule measure: what one trained backbone costs to run."""

import json
import sys

import torch

from defocus_core import atomic, comparison, provenance

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
atomic.write_text(snakemake.output.cost, json.dumps(comparison.cost(snakemake.input.model), indent=1))
provenance.record(snakemake)
