"""Rule variants: the rows of all variants of one set -> a table."""

import sys
from pathlib import Path

import pandas as pd

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
table = pd.concat([pd.read_csv(row) for row in snakemake.input.rows])
table.to_csv(snakemake.output.scores, index=False)
Path(snakemake.output.markdown).write_text(table.to_markdown(index=False, floatfmt=".4f") + "\n")
