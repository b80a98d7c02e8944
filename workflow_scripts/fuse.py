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
three = [focuses[0], float(np.mean(focuses)), focuses[-1]]
stacks = [
    (name, motorcycle, scenes.shots(motorcycle, focuses=depths, strength=settings["strength"]))
    for name, depths in (("motorcycle", focuses), ("three shots of the motorcycle", three))
]
photographs = scenes.squares(settings["size"], settings.get("photographs"))
for _ in range(settings["composites"]):
    front, back = rng.choice(len(photographs), 2, replace=False)
    scene = scenes.composite(photographs[front], photographs[back], rng)
    taken = scenes.shots(scene, focuses=(1.0, 0.0), strength=rng.uniform(1.5, 4), layers=2)
    stacks.append(("composites", scene, taken))

ours = {
    "fused": lambda shots: fuse.fuse(shots, model=model),
    "fused, seams of 1 pixel": lambda shots: fuse.fuse(shots, model=model, settings=fuse.Settings(seam=1)),
}
methods = ours | fusion_baselines.methods(settings.get("commands", {}), model=model)

rows, panels = [], []
for index, (name, scene, taken) in enumerate(stacks):
    results = {}
    for method, run in methods.items():
        start = time.perf_counter()
        results[method] = run(taken)
        seconds = time.perf_counter() - start
        fused = results[method].image if method in ours else results[method]
        result = images.as_float(fused)
        row = {
            "scenes": name,
            "method": method,
            "psnr": metrics.psnr(result, scene.image),
            "ssim": metrics.ssim(result, scene.image),
            **fusion_metrics.scores(taken, result),
            "seconds": seconds,
        }
        rows.append(row)
    if index in (0, len(stacks) - 1):
        panels += [(f"{name}, shot {i + 1}", shot) for i, shot in enumerate(taken[:2])]
        panels += [("guided filter", results["guided_filter"]), ("fused", results["fused"].image)]
        panels += [("from shot", results["fused"].labels.astype(float)), ("all in focus", scene.image)]
table = pd.DataFrame(rows).groupby(["scenes", "method"], as_index=False).mean()
atomic.write_text(
    snakemake.output.scores, table.sort_values(["scenes", "psnr"], ascending=False).to_csv(index=False)
)
plots.side_by_side(panels, snakemake.output.figure, columns=6)
provenance.record(snakemake)
