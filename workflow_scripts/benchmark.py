"""Rule benchmark: the scores of all shards of one set -> tables and figures."""

import json
import sys
from pathlib import Path

import pandas as pd

from defocus_core import atomic, benchmark, images, plots, provenance, report, sets

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
settings, output = snakemake.params.settings, snakemake.output
members = sets.pairs(*snakemake.params.folders, **snakemake.params.pairing)
parts = [json.loads(Path(path).read_text()) for path in snakemake.input.parts]
scores = benchmark.joined(parts, truth=settings["truth"])

if settings["truth"] == "masks":
    each = pd.concat([pd.DataFrame(s.rows).assign(method=name) for name, s in scores.items()])
    lines = {name: s.curve()[::-1] for name, s in scores.items()}
    plots.curves(lines, output.curve, x="recall of sharp", y="precision of sharp", limits=(0, 1))
else:
    each = scores
    lines = {name: (range(len(rows)), rows.mae.to_numpy()) for name, rows in each.groupby("method")}
    plots.curves(lines, output.curve, x="image", y="mean absolute error (pixels of sigma)")

report.write_table(benchmark.summary(scores), output.scores, output.markdown)
atomic.write_text(output.images, each.to_csv(index=False))
panels = []
for pair in members[:3]:
    maps = Path(snakemake.input.maps[sets.shard_of(pair.name, len(parts))])
    panels += [(pair.name, images.read(pair.image))]
    panels += [("sigma (pixels)", benchmark.read_sigma(maps / f"{pair.name}.npy"))]
    panels += [("truth", benchmark.read_truth(pair, settings))]
plots.side_by_side(panels, output.examples)
provenance.record(snakemake)
