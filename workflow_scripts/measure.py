"""Rule measure: what one trained backbone costs to run."""

import json
import sys

from defocus_core import atomic, comparison, parallel, provenance

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)
atomic.write_text(snakemake.output.cost, json.dumps(comparison.cost(snakemake.input.model), indent=1))
provenance.record(snakemake)
