"""Rule maps: the photographs of one benchmark set -> defocus maps."""

import sys
from pathlib import Path

from defocus_core import atomic, backbones, images, maps, parallel, plots, provenance, sets

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)
folder = Path(snakemake.output.folder)
folder.mkdir(parents=True, exist_ok=True)
arguments = maps.arguments_from(snakemake.params.settings)
model = backbones.load(snakemake.input.model)
members = sets.pairs(*snakemake.params.folders, **snakemake.params.pairing)
for pair in sets.sharded(members, snakemake.params.shards)[int(snakemake.wildcards.shard)]:
    sigma = maps.estimate(images.read(pair.image), model=model, **arguments)
    atomic.write_array(folder / f"{pair.name}.npy", sigma)
    plots.save_map(sigma, folder / f"{pair.name}.png")
    print(pair.name, f"sigma {sigma.min():.2f} to {sigma.max():.2f} pixels")
provenance.record(snakemake)
