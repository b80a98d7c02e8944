"""Rule application, fuse: shots of scenes whose all-in-focus image is known, fused by several methods."""

import sys
import time

import numpy as np
import pandas as pd
import torch

from defocus_core import (
    atomic,
    backbones,
    fuse,
    fusion_baselines,
    fusion_metrics,
    images,
    metrics,
    plots,
    provenance,
    scenes,
)

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, model = snakemake.params.settings, backbones.load(snakemake.input.model)
rng = np.random.default_rng(snakemake.params.seed)

motorcycle = scenes.motorcycle()
focuses = [float(np.quantile(motorcycle.depth, q)) for q in settings["focus_quantiles"]]
stacks = [
    ("motorcycle", motorcycle, scenes.shots(motorcycle, focuses=focuses, strength=settings["strength"]))
]
photographs = scenes.squares(settings["size"], settings.get("photographs"))
for _ in range(settings["composites"]):
    front, back = rng.choice(len(photographs), 2, replace=False)
    scene = scenes.composite(photographs[front], photographs[back], rng)
    taken = scenes.shots(scene, focuses=(1.0, 0.0), strength=rng.uniform(1.5, 4), layers=2)
    stacks.append(("composites", scene, taken))

methods = {
    "fused": lambda shots: fuse.fuse(shots, model=model).image,
    "fused, seams of 1 pixel": lambda shots: (
        fuse.fuse(shots, model=model, settings=fuse.Settings(seam=1)).image
    ),
    **fusion_baselines.METHODS,
}
commands = settings.get("commands", {})
methods |= fusion_baselines.commands(commands)
print("not installed and left out:", sorted(set(commands) - set(methods)))

rows = []
for name, scene, taken in stacks:
    for method, run in methods.items():
        start = time.perf_counter()
        result = images.as_float(run(taken))
        seconds = time.perf_counter() - start
        row = {
            "scenes": name,
            "method": method,
            "psnr": metrics.psnr(result, scene.image),
            "ssim": metrics.ssim(result, scene.image),
            **fusion_metrics.scores(taken[0], taken[-1], result),
            "seconds": seconds,
        }
        rows.append(row)
table = pd.DataFrame(rows).groupby(["scenes", "method"], as_index=False).mean()
atomic.write_text(
    snakemake.output.scores, table.sort_values(["scenes", "psnr"], ascending=False).to_csv(index=False)
)
panels = []
for name, scene, taken in [stacks[0], stacks[-1]]:
    fusion = fuse.fuse(taken, model=model)
    panels += [(f"{name}, shot {i + 1}", shot) for i, shot in enumerate(taken[:2])]
    panels += [("guided filter", fusion_baselines.guided_filter(taken)), ("fused", fusion.image)]
    panels += [("from shot", fusion.labels.astype(float)), ("all in focus", scene.image)]
plots.side_by_side(panels, snakemake.output.figure, columns=6)
provenance.record(snakemake)
