"""Rule measure: what one trained backbone costs to run."""

import json

from defocus_core.evaluation.comparison import measure_cost
from defocus_core.io import atomic
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
atomic.write_text(snakemake.output.cost, json.dumps(measure_cost(snakemake.input.model), indent=1))
record_provenance(snakemake)
