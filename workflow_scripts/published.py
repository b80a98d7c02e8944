"""Rule published: our maps of one photograph beside the published ones."""

import sys

import pandas as pd

from defocus_core import (
    atomic,
    backbones,
    benchmark,
    focus,
    images,
    maps,
    metrics,
    parallel,
    plots,
    provenance,
)

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)
image = images.read(snakemake.input.image)
model = backbones.load(snakemake.input.model)
arguments = maps.arguments_from(snakemake.params.settings)
panels, rows = [("photograph", image)], []
published = []
for stage, refine in (("raw", False), ("refined", True)):
    sigma = maps.estimate(image, model=model, **(arguments | {"refine": refine}))
    other = benchmark.read_peer(snakemake.input[stage], sigma.shape, high="blurred")
    panels.append((f"ours, {stage}: sigma (pixels)", sigma))
    published.append((f"published, {stage}", other))
    rows.append({"map": stage, "rank_correlation": metrics.rank_correlation(sigma, other)})
panels += [("ours: in focus (probability)", focus.in_focus(sigma)), *published]
plots.side_by_side(panels, snakemake.output.figure)
atomic.write_text(snakemake.output.scores, pd.DataFrame(rows).to_csv(index=False))
provenance.record(snakemake)
