"""Rule variants: the scores of all shards of one set by all variants of the maps -> a table."""

import json
import sys
from pathlib import Path

import pandas as pd

from defocus_core import benchmark, provenance, report

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
names = snakemake.params.variants
parts = [json.loads(Path(path).read_text()) for path in snakemake.input.parts]
shards = len(parts) // len(names)
rows = []
for index, name in enumerate(names):
    mine = parts[index * shards : (index + 1) * shards]
    methods = benchmark.summary(benchmark.joined(mine, truth=snakemake.params.truth))
    row = methods[methods.method == "map"].drop(columns=["method", "fitted"], errors="ignore")
    rows.append(row.assign(variant=name)[["variant", *row]])
report.write_table(pd.concat(rows), snakemake.output.scores, snakemake.output.markdown)
provenance.record(snakemake)
