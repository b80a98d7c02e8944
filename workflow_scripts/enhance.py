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
options, seed = maps.arguments_from(snakemake.params.maps), snakemake.params.seed
rng = np.random.default_rng(seed)
PARTS = {"in_focus": (0, 0.75), "slightly_blurred": (0.75, 2), "blurred": (2, np.inf)}

rows, panels = [], []
for largest in settings["largest"]:
    for name, scene, lens in scenes.embedded(seed=seed, size=settings["size"], largest=largest):
        light, truth = scenes.photograph(scene, **lens)
        image = images.as_float(images.as_depth(light, np.uint8))
        sigma = maps.estimate(image, model=model, **options)
        methods = {
            "input": images.as_float,
            "adaptive": lambda picture, sigma=sigma: enhance.enhance(picture, sigma),
            "adaptive, true map": lambda picture, truth=truth: enhance.enhance(picture, truth),
            **enhance_baselines.METHODS,
        }
        noise = rng.normal(0, 2 / 255, image.shape).astype(np.float32)
        noisy = np.clip(image + noise, 0, 1)
        results = {method: run(image) for method, run in methods.items()}
        for method, result in results.items():
            inside = {part: (low <= truth) & (truth < high) for part, (low, high) in PARTS.items()}
            change = methods[method](noisy) - result
            far = inside["blurred"]
            row = {
                "largest_sigma": largest,
                "scene": name,
                "method": method,
                "psnr": metrics.psnr(result, scene.image),
                "ssim": metrics.ssim(result, scene.image),
                **metrics.by_part(result, scene.image, inside),
                "noise_gain_blurred": change[far].std() / (noisy - image)[far].std() if far.any() else np.nan,
                "overshoot": metrics.overshoot(images.grey(result), images.grey(scene.image)),
            }
            rows.append(row)
        if name == "motorcycle_middle" and not panels:
            panels = [("before", image), ("adaptive", results["adaptive"])]
            panels += [(method, results[method]) for method in enhance_baselines.METHODS]
            panels += [("sharp scene", scene.image), ("sigma (pixels)", sigma)]
            panels += [("gain", enhance.gain(sigma)), ("true sigma (pixels)", truth)]

each = pd.DataFrame(rows)
means = each.drop(columns="scene").groupby(["largest_sigma", "method"], as_index=False, sort=False).mean()
means.insert(1, "scene", "mean")
atomic.write_text(snakemake.output.scores, pd.concat([means, each]).to_csv(index=False))
plots.side_by_side(panels, snakemake.output.figure)
provenance.record(snakemake)
