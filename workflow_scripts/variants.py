"""Rule variants: the rows of all variants of one set -> a table."""

import sys

import pandas as pd

from defocus_core import provenance, report

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
table = pd.concat([pd.read_csv(row) for row in snakemake.input.rows])
report.write_table(table, snakemake.output.scores, snakemake.output.markdown)
provenance.record(snakemake)
