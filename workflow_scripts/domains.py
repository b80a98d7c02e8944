"""Rule domains: networks trained on some patches, tested on others -> one table."""

import pandas as pd

from defocus_core.evaluation.comparison import score_classifier
from defocus_core.evaluation.tables import write_table
from defocus_core.networks.storage import load_model
from defocus_core.training.loop import default_device
from defocus_core.training.patch_store import read_patches
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
rows = []
for tested, file in zip(snakemake.params.tested, snakemake.input.tests, strict=True):
    columns = read_patches(file)
    for name, weights in zip(snakemake.params.models, snakemake.input.models, strict=True):
        scores = score_classifier(load_model(weights).to(default_device()), columns)
        kept = {key: scores[key] for key in ("accuracy", "within_one", "mae_sigma")}
        rows.append({"model": name, "tested_on": tested, "patches": len(columns["level"])} | kept)
        print(rows[-1])
write_table(pd.DataFrame(rows), snakemake.output.table, snakemake.output.markdown, number_format=".4g")
record_provenance(snakemake)
