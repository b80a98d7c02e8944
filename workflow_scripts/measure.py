"""Rule measure: what one trained backbone costs to run."""

import json
import sys
from pathlib import Path

import torch

from defocus_core import comparison

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
Path(snakemake.output.cost).write_text(json.dumps(comparison.cost(snakemake.input.model), indent=1))
