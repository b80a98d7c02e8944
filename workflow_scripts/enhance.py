"""Rule application, enhance: scenes blurred by a known map, sharpened; what is gained and what it costs."""

import sys

import numpy as np
import pandas as pd
import torch

from defocus_core import (
    atomic,
    backbones,
    enhance,
    enhance_baselines,
    images,
    maps,
    metrics,
    plots,
    provenance,
    scenes,
)

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, model = snakemake.params.settings, backbones.load(snakemake.input.model)
rng = np.random.default_rng(snakemake.params.seed)
scene = scenes.motorcycle()
image, truth = scenes.photograph(scene, focus=settings["focus"], strength=settings["strength"])
sigma = maps.estimate(image, model=model, **maps.arguments_from(snakemake.params.maps))
methods = {
    "input": images.as_float,
    "adaptive": lambda picture: enhance.enhance(picture, sigma),
    "adaptive, true map": lambda picture: enhance.enhance(picture, truth),
    **enhance_baselines.METHODS,
}
edges = {"in_focus": (0, 0.75), "slightly_blurred": (0.75, 2), "blurred": (2, np.inf)}
parts = {name: (low <= truth) & (truth < high) for name, (low, high) in edges.items()}
noise = rng.normal(0, 2 / 255, image.shape).astype(np.float32)
noisy = np.clip(image + noise, 0, 1)
results, rows = {}, []
for name, method in methods.items():
    result = results[name] = method(image)
    difference = metrics.ssim_map(result, scene.image)
    row = {
        "method": name,
        "psnr": metrics.psnr(result, scene.image),
        "ssim": metrics.ssim(result, scene.image),
    }
    for part, inside in parts.items():
        row[f"psnr_{part}"] = metrics.psnr(result[inside], scene.image[inside])
        row[f"ssim_{part}"] = float(difference[inside].mean())
    far = parts["blurred"]
    row["noise_gain_blurred"] = float((method(noisy) - result)[far].std() / (noisy - image)[far].std())
    row["overshoot"] = metrics.overshoot(images.grey(result), images.grey(scene.image))
    rows.append(row)
atomic.write_text(snakemake.output.scores, pd.DataFrame(rows).to_csv(index=False))
panels = [("before", image), ("adaptive", results["adaptive"])]
panels += [(name, results[name]) for name in enhance_baselines.METHODS]
panels += [("sharp scene", scene.image), ("sigma (pixels)", sigma), ("gain", enhance.gain(sigma))]
plots.side_by_side([*panels, ("true sigma (pixels)", truth)], snakemake.output.figure)
provenance.record(snakemake)
