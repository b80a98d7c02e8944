"""Rule published: our maps of one photograph beside the published ones."""

import pandas as pd

from defocus_core.evaluation import benchmark, metrics, plots
from defocus_core.io import atomic
from defocus_core.io.read import read_for_measuring
from defocus_core.maps.config import map_arguments_from
from defocus_core.maps.focus import in_focus
from defocus_core.maps.pipeline import estimate_with_certainty
from defocus_core.networks.storage import load_model
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
image = read_for_measuring(snakemake.input.image)
model = load_model(snakemake.input.model)
arguments = map_arguments_from(snakemake.params.settings)
panels, rows = [("photograph", image)], []
published = []
for stage, refine in (("raw", False), ("refined", True)):
    sigma, certainty = estimate_with_certainty(image, model=model, **(arguments | {"refine": refine}))
    other = benchmark.read_peer_map(snakemake.input[stage], sigma.shape, high_means="blurred")
    panels.append((f"ours, {stage}: sigma (pixels)", sigma))
    published.append((f"published, {stage}", other))
    rows.append({"map": stage, "rank_correlation": metrics.rank_correlation(sigma, other)})
panels += [("ours: in focus (probability)", in_focus(sigma, certainty=certainty)), *published]
plots.plot_panels(panels, snakemake.output.figure)
atomic.write_text(snakemake.output.scores, pd.DataFrame(rows).to_csv(index=False))
record_provenance(snakemake)
