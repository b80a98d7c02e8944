"""Rule application, fuse: two complementary shots of one scene, fused, against the all-in-focus truth."""

import sys

import numpy as np
import pandas as pd
import torch

from defocus_core import backbones, fuse, fusion_metrics, images, metrics, plots, scenes

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, model = snakemake.params.settings, backbones.load(snakemake.input.model)
scene = scenes.motorcycle()
shots = [
    scenes.photograph(scene, focus=float(np.quantile(scene.depth, q)), strength=settings["strength"])[0]
    for q in settings["focus_quantiles"]
]
shots = [images.as_depth(shot, np.uint8) for shot in shots]
fusion = fuse.fuse(shots, model=model)
results = {f"shot {i + 1}": images.as_float(shot) for i, shot in enumerate(shots)}
results |= {
    "mean": np.mean([images.as_float(shot) for shot in shots], 0),
    "fused": images.as_float(fusion.image),
}
rows = [
    {
        "image": name,
        **fusion_metrics.scores(shots[0], shots[-1], result),
        "psnr": metrics.psnr(result, scene.image),
        "ssim": metrics.ssim(result, scene.image),
    }
    for name, result in results.items()
]
pd.DataFrame(rows).to_csv(snakemake.output.scores, index=False)
panels = [*((name, results[name]) for name in results), ("from shot", fusion.labels.astype(float))]
plots.side_by_side([*panels, ("all in focus", scene.image)], snakemake.output.figure)
