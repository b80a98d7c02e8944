"""Rule application, enhance: a slightly blurred scene of known truth, sharpened."""

import sys

import pandas as pd
import torch

from defocus_core import backbones, enhance, maps, metrics, plots, scenes

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, model = snakemake.params.settings, backbones.load(snakemake.input.model)
scene = scenes.motorcycle()
image, truth = scenes.photograph(scene, focus=settings["focus"], strength=settings["strength"])
sigma = maps.estimate(image, model=model, **maps.arguments_from(snakemake.params.maps))
results = {
    "input": image,
    "adaptive": enhance.enhance(image, sigma),
    "adaptive, true map": enhance.enhance(image, truth),
    "unsharp masking": enhance.unsharp(image),
}
rows = [
    {"method": name, "psnr": metrics.psnr(result, scene.image), "ssim": metrics.ssim(result, scene.image)}
    for name, result in results.items()
]
pd.DataFrame(rows).to_csv(snakemake.output.scores, index=False)
panels = [
    ("before", image),
    ("adaptive", results["adaptive"]),
    ("unsharp masking", results["unsharp masking"]),
]
panels += [("sigma (pixels)", sigma), ("gain", enhance.gain(sigma)), ("true sigma (pixels)", truth)]
plots.side_by_side(panels, snakemake.output.figure)
