"""Rule ingest: sources -> manifest.csv."""

from defocus_core.io import atomic
from defocus_core.training.patches import PatchConfig
from workflow_support import ingest
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance
from workflow_support.sources import resolve_downloads

start_job(snakemake)
settings = snakemake.params.settings
table = ingest.build_manifest(
    resolve_downloads(settings["sources"], snakemake.input.downloads),
    config=PatchConfig(stride=snakemake.params.stride, min_sharpness=snakemake.params.min_sharpness),
    split_fractions=settings["split_fractions"],
    max_pixels=settings["max_pixels"],
)
for note in table.note[table.note != ""]:
    print("skipped", note)
print(table[table.skipped == ""].groupby("split").sharp_patches.agg(["count", "sum"]))
atomic.write_text(snakemake.output.manifest, table.to_csv(index=False))
record_provenance(snakemake)
