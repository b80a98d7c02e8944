"""Rule fuse_set: every stack of shots of a set, fused, and scored beside other methods and their results."""

import sys
import time
from pathlib import Path

import pandas as pd
import torch

from defocus_core import (
    atomic,
    backbones,
    fuse,
    fusion_baselines,
    fusion_metrics,
    images,
    plots,
    provenance,
    report,
    sets,
)

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, output = snakemake.params.settings, Path(snakemake.output.folder)
model = backbones.load(snakemake.input.model)
peers = {name: Path(folder) for name, folder in settings.get("peers", {}).items()}
methods = fusion_baselines.methods(settings.get("commands", {}), model=model)

rows, panels = [], []
for stack in sets.stacks(settings["stacks"]):
    shots = [images.read(path) for path in stack.shots]
    start = time.perf_counter()
    fusion = fuse.fuse(shots, model=model)
    seconds = {"fused": time.perf_counter() - start}
    images.write(output / f"{stack.name}.png", fusion.image)
    results = {"fused": fusion.image}
    for name, run in methods.items():
        start = time.perf_counter()
        results[name] = run(shots)
        seconds[name] = time.perf_counter() - start
    results |= {name: images.read(folder / f"{stack.name}.png") for name, folder in peers.items()}
    for name, result in results.items():
        scores = fusion_metrics.scores(shots, result)
        rows.append({"method": name, "stack": stack.name, **scores, "seconds": seconds.get(name)})
    if len(panels) < 12:
        panels += [*((f"{stack.name}, shot {i + 1}", shot) for i, shot in enumerate(shots[:2]))]
        panels += [("fused", fusion.image), ("from shot", fusion.labels.astype(float))]

each = pd.DataFrame(rows)
atomic.write_text(snakemake.output.stacks, each.to_csv(index=False))
table = (
    each.drop(columns="stack").groupby("method", as_index=False).mean().sort_values("q_abf", ascending=False)
)
report.write_table(table, snakemake.output.scores, snakemake.output.markdown)
plots.side_by_side(panels, snakemake.output.figure, columns=4)
provenance.record(snakemake)
