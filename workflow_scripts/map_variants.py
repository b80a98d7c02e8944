"""Rule map_variants: the scores of all shards of one set by all variants of the maps -> a table."""

import json
from pathlib import Path

import pandas as pd

from defocus_core.evaluation import benchmark
from defocus_core.evaluation.tables import write_table
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
truth = snakemake.params.truth
rows = []
for name in snakemake.params.map_variants:
    parts = [json.loads(Path(path).read_text()) for path in snakemake.input[f"parts_{name}"]]
    methods = benchmark.summarise(benchmark.merge_shards(parts, truth=truth), truth=truth)
    row = methods[methods.method == "map"].drop(columns=["method", "fitted"], errors="ignore")
    rows.append(row.assign(map_variant=name)[["map_variant", *row]])
write_table(pd.concat(rows), snakemake.output.scores, snakemake.output.markdown)
record_provenance(snakemake)
