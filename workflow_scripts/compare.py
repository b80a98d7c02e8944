"""Rule compare: scores and costs of all backbones -> one table beside the published one."""

import json
from pathlib import Path

import pandas as pd

from defocus_core.evaluation import plots
from defocus_core.evaluation.comparison import COST_LABELS, comparison_table
from defocus_core.evaluation.tables import write_table
from defocus_core.io import atomic
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
trained, shipped = snakemake.params.backbones, snakemake.params.shipped
names = [*trained, *(f"{name} (in the package)" for name in shipped)]
scores = {n: json.loads(Path(p).read_text()) for n, p in zip(names, snakemake.input.metrics, strict=True)}
costs = {n: json.loads(Path(p).read_text()) for n, p in zip(names, snakemake.input.costs, strict=True)}
steps = {
    name: int(pd.read_csv(path).patch_steps.iloc[-1])
    for name, path in zip(trained, snakemake.input.histories, strict=True)
}
table = comparison_table(scores, costs, patch_steps=steps)
write_table(table, snakemake.output.table, snakemake.output.markdown, number_format=".4g")
levels = [
    {"model": name, "level": level, **{k: scores[name][k][level] for k in ("precision", "recall", "f1")}}
    for name in names
    for level in range(len(scores[name]["f1"]))
]
atomic.write_text(snakemake.output.levels, pd.DataFrame(levels).to_csv(index=False))
plots.plot_trade(table, snakemake.output.plot, y="accuracy", costs=COST_LABELS)
record_provenance(snakemake)
