"""Rule application, magnify: a scene at a small aperture, compared with the same at a wide one."""

import sys

import pandas as pd
import torch

from defocus_core import backbones, magnify, maps, metrics, plots, scenes

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, model = snakemake.params.settings, backbones.load(snakemake.input.model)
scene = scenes.motorcycle()
focus, strength = settings["focus"], settings["strength"]
narrow, _ = scenes.photograph(scene, focus=focus, strength=strength)
wide, _ = scenes.photograph(scene, focus=focus, strength=strength * settings["factor"])
sigma = maps.estimate(narrow, model=model, **maps.arguments_from(snakemake.params.maps))
result = magnify.magnify(narrow, sigma)
rows = [
    {"method": name, "psnr": metrics.psnr(image, wide), "ssim": metrics.ssim(image, wide)}
    for name, image in (("input", narrow), ("magnified", result))
]
pd.DataFrame(rows).to_csv(snakemake.output.scores, index=False)
panels = [("before", narrow), ("magnified", result), ("true wide aperture", wide)]
panels += [("sigma (pixels)", sigma), ("weight of the sharp image", magnify.weight(sigma))]
plots.side_by_side(panels, snakemake.output.figure)
