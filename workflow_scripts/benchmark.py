"""Rule benchmark: our maps, the baselines and the maps of peers, scored on one set."""

import sys
from pathlib import Path

import pandas as pd

from defocus_core import atomic, benchmark, images, plots, provenance, sets
from defocus_core.maps import in_focus

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
settings, output = snakemake.params.settings, snakemake.output
maps = Path(snakemake.input.maps)
members = sets.pairs(*snakemake.params.folders, **snakemake.params.pairing)
methods = {"map": lambda pair, grey: benchmark.read_sigma(maps / f"{pair.name}.npy")}
if settings["truth"] == "masks":
    methods["probability"] = lambda pair, grey: 1 - in_focus(methods["map"](pair, grey))
methods |= benchmark.baseline_methods(snakemake.params.methods)
methods |= benchmark.peer_methods(settings.get("peers", {}))

if settings["truth"] == "masks":
    scores = benchmark.score_masks(methods, members, blurred=settings["blurred"])
    rows = [{"method": name, **score.summary()} for name, score in scores.items()]
    table = pd.DataFrame(rows).sort_values("accuracy", ascending=False)
    each = pd.concat([pd.DataFrame(s.rows).assign(method=name) for name, s in scores.items()])
    lines = {name: s.curve()[::-1] for name, s in scores.items()}
    plots.curves(lines, output.curve, x="recall of sharp", y="precision of sharp", limits=(0, 1))
else:
    each = benchmark.score_sigma(methods, members, settings)
    table = each.drop(columns="image").groupby(["method", "fitted"], as_index=False).mean().sort_values("mae")
    lines = {name: (range(len(rows)), rows.mae.to_numpy()) for name, rows in each.groupby("method")}
    plots.curves(lines, output.curve, x="image", y="mean absolute error (pixels of sigma)")

atomic.write_text(output.scores, table.to_csv(index=False))
atomic.write_text(output.images, each.to_csv(index=False))
atomic.write_text(output.markdown, table.to_markdown(index=False, floatfmt=".4f") + "\n")
panels = []
for pair in members[:3]:
    image = images.read(pair.image)
    panels += [(pair.name, image), ("sigma (pixels)", benchmark.read_sigma(maps / f"{pair.name}.npy"))]
    panels += [("truth", benchmark.read_truth(pair, settings))]
plots.side_by_side(panels, output.examples)
provenance.record(snakemake)
