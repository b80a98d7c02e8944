"""Rule no_reference: photographs sharpened by several methods, scored where no truth is known."""

import sys

import cv2
import pandas as pd
import torch

from defocus_core import (
    atomic,
    backbones,
    enhance,
    enhance_baselines,
    images,
    maps,
    no_reference,
    provenance,
    report,
    sources,
)

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
torch.set_num_threads(snakemake.threads)
model, options = backbones.load(snakemake.input.model), maps.arguments_from(snakemake.params.maps)
scores = {name: no_reference.score(name) for name in snakemake.params.scores}

rows = []
for path in [path for source in snakemake.params.settings for path in sources.files(source)]:
    image = images.as_float(images.read(path))
    image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
    sigma = maps.estimate(image, model=model, **options)
    results = {"input": image, "adaptive": enhance.enhance(image, sigma)}
    results |= {name: method(image) for name, method in enhance_baselines.METHODS.items()}
    for method, result in results.items():
        found = {name: score(result) for name, score in scores.items()}
        rows.append({"method": method, "photograph": path.stem, **found})

each = pd.DataFrame(rows)
wide = each.pivot(index="photograph", columns="method")
better = pd.DataFrame(
    {f"{name}_better": wide[name].lt(wide[name]["input"], axis=0).mean() for name in scores}
)
table = each.drop(columns="photograph").groupby("method", sort=False).mean().join(better).reset_index()
report.write_table(table, snakemake.output.scores, snakemake.output.markdown)
atomic.write_text(snakemake.output.photographs, each.to_csv(index=False))
provenance.record(snakemake)
