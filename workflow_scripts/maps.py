"""Rule maps: the photographs of one benchmark set -> defocus maps, and how sure they are."""

from pathlib import Path

import numpy as np

from defocus_core.evaluation.benchmark_sets import made_pairs
from defocus_core.io import atomic
from defocus_core.io.read import read_for_measuring
from defocus_core.maps.config import map_arguments_from
from defocus_core.maps.pipeline import estimate_with_certainty
from defocus_core.networks.storage import load_model
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
folder = Path(snakemake.output.folder)
(folder / "certainty").mkdir(parents=True, exist_ok=True)
arguments = map_arguments_from(snakemake.params.settings)
model = load_model(snakemake.input.model)
files, made = snakemake.input.files, snakemake.params.made
for path in [pair.image for pair in made_pairs(files, **made)] if made else map(Path, files):
    sigma, certainty = estimate_with_certainty(read_for_measuring(path), model=model, **arguments)
    atomic.write_array(folder / f"{path.stem}.npy", sigma)
    atomic.write_array(folder / "certainty" / f"{path.stem}.npy", certainty.astype(np.float16))
    print(path.stem, f"sigma {sigma.min():.2f} to {sigma.max():.2f} pixels")
record_provenance(snakemake)
