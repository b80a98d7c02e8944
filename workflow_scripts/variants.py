"""Rule variants: the rows of all variants of one set -> a table."""

import sys

import pandas as pd

from defocus_core import atomic, provenance

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
table = pd.concat([pd.read_csv(row) for row in snakemake.input.rows])
atomic.write_text(snakemake.output.scores, table.to_csv(index=False))
atomic.write_text(snakemake.output.markdown, table.to_markdown(index=False, floatfmt=".4f") + "\n")
provenance.record(snakemake)
