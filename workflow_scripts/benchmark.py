"""Rule benchmark: the scores of all shards of one set -> tables and figures."""

import json
from pathlib import Path

import pandas as pd

from defocus_core.evaluation import benchmark, plots
from defocus_core.evaluation.benchmark_sets import pair_images, shard_of
from defocus_core.evaluation.tables import write_table
from defocus_core.io import atomic
from defocus_core.io.read import read
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
settings, output = snakemake.params.settings, snakemake.output
members = pair_images(*snakemake.params.folders, **snakemake.params.pairing)
parts = [json.loads(Path(path).read_text()) for path in snakemake.input.parts]
scores = benchmark.merge_shards(parts, truth=settings["truth"])

if settings["truth"] == "masks":
    each = pd.concat([pd.DataFrame(s.rows).assign(method=name) for name, s in scores.items()])
    lines = {name: s.curve()[::-1] for name, s in scores.items()}
    plots.plot_curves(lines, output.curve, x="recall of sharp", y="precision of sharp", limits=(0, 1))
else:
    each = scores
    column, label, _ = benchmark.MEASURES[settings["truth"]]
    lines = {name: (range(len(rows)), rows[column].to_numpy()) for name, rows in each.groupby("method")}
    plots.plot_curves(lines, output.curve, x="image", y=label)

write_table(benchmark.summarise(scores, truth=settings["truth"]), output.scores, output.markdown)
atomic.write_text(output.images, each.to_csv(index=False))
panels = []
for pair in members[:3]:
    maps = Path(snakemake.input.maps[shard_of(pair.name, len(parts))])
    panels += [(pair.name, read(pair.image))]
    panels += [("sigma (pixels)", benchmark.read_sigma(maps / f"{pair.name}.npy"))]
    panels += [("truth", benchmark.read_truth(pair, settings))]
plots.plot_panels(panels, output.examples)
record_provenance(snakemake)
