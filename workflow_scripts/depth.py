"""Rule application, depth: distances from blur, for a scene of known distances and a known lens."""

import sys

import numpy as np
import pandas as pd
import torch

from defocus_core import atomic, backbones, depth, maps, metrics, plots, provenance, scenes

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
settings, model = snakemake.params.settings, backbones.load(snakemake.input.model)
options = maps.arguments_from(snakemake.params.maps)
scene = scenes.motorcycle()
truth = scenes.motorcycle_distance(scene)
scene = scenes.Scene(scene.image, 1 / truth)
pitch = settings["focal_length"] * 1e3 / scenes.MOTORCYCLE_FOCAL

rows, panels = [], []
for focus, plane in (("near", truth.min()), ("middle", np.median(truth)), ("far", truth.max())):
    lens = depth.Lens(settings["focal_length"], settings["f_number"], float(plane), pitch)
    image, true_sigma = scenes.photograph(
        scene, focus=1 / lens.focus_distance, strength=lens.strength, aperture="disk"
    )
    sigma = maps.estimate(image, model=model, **options)
    answers = {}
    for name, values in (("estimated map", sigma), ("true map", true_sigma)):
        before, behind = lens.distances(values)
        closer = np.abs(1 / before - 1 / truth) < np.abs(1 / behind - 1 / truth)
        sides = {"near": behind, "middle": np.where(closer, before, behind), "far": before}
        answers[name] = sides[focus]
    answers["the median everywhere"] = np.full_like(truth, np.median(truth))
    rows += [{"focus": focus, "distances": n, **metrics.distance(d, truth)} for n, d in answers.items()]
    panels += [(f"focus {focus}, {plane:.2f} m", image), ("sigma (pixels)", sigma)]
    reach = (0.8 * truth.min(), 1.25 * truth.max())
    title = "closer of two distances (m)" if focus == "middle" else "distance (m)"
    panels += [(title, np.clip(answers["estimated map"], *reach)), ("true distance (m)", truth)]
atomic.write_text(snakemake.output.scores, pd.DataFrame(rows).to_csv(index=False))
plots.side_by_side(panels, snakemake.output.figure, columns=4)
provenance.record(snakemake)
