"""Rule application, magnify: scenes at a small aperture, magnified, against the same at a wide one."""

import sys

import numpy as np
import pandas as pd
import torch

from defocus_core import atomic, backbones, images, magnify, maps, metrics, plots, provenance, scenes

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, model = snakemake.params.settings, backbones.load(snakemake.input.model)
options, factor = maps.arguments_from(snakemake.params.maps), settings["factor"]
rng = np.random.default_rng(snakemake.params.seed)


def at(scene, focus, strength, layers):
    """Photograph a scene as light through a disk-shaped aperture; return picture and sigma."""
    lit = scenes.Scene(images.to_light(scene.image), scene.depth)
    light, sigma = scenes.photograph(lit, focus=focus, strength=strength, layers=layers, aperture="disk")
    return images.from_light(light), sigma


def grey_light(picture):
    """Return the light of a picture's grey levels, in which blur is linear."""
    return images.to_light(picture).mean(2)


stacks = [("motorcycle", scenes.motorcycle(), settings["focus"], settings["strength"], 24)]
photographs = scenes.squares(settings["size"])
for _ in range(settings["composites"]):
    front, back = rng.choice(len(photographs), 2, replace=False)
    scene = scenes.composite(photographs[front], photographs[back], rng)
    stacks.append(("composites", scene, 1.0, rng.uniform(1, 2), 2))

rows, panels = [], []
for name, scene, focus, strength, layers in stacks:
    narrow, true_sigma = at(scene, focus, strength, layers)
    wide, asked = at(scene, focus, strength * factor, layers)
    sigma = maps.estimate(narrow, model=model, **options)
    results = {
        "input": narrow,
        "equations 12 and 13": magnify.magnify(narrow, sigma),
        "wider aperture": magnify.widen(narrow, sigma, factor=factor),
        "wider aperture, true map": magnify.widen(narrow, true_sigma, factor=factor, in_focus=0),
        "true wide aperture": wide,
    }
    candidates = np.arange(0, 1.5 * asked.max(), 0.25)
    background = asked > 0.5 * asked.max()
    for method, result in results.items():
        reached = metrics.matched_sigma(grey_light(result), grey_light(scene.image), candidates)[background]
        row = {
            "scenes": name,
            "method": method,
            "psnr": metrics.psnr(result, wide),
            "ssim": metrics.ssim(result, wide),
            "sigma_asked": float(asked[background].mean()),
            "sigma_reached": float(np.nanmean(reached)),
        }
        rows.append(row)
    if name not in [title.partition(",")[0] for title, _ in panels]:
        panels += [(f"{name}, before", narrow), ("sigma (pixels)", sigma)]
        panels += [(method, results[method]) for method in list(results)[1:]]
table = pd.DataFrame(rows).groupby(["scenes", "method"], as_index=False, sort=False).mean()
atomic.write_text(snakemake.output.scores, table.to_csv(index=False))
plots.side_by_side(panels, snakemake.output.figure, columns=6)
provenance.record(snakemake)
