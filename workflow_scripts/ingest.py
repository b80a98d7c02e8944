"""Rule ingest: sources -> manifest.csv."""

import sys

import cv2

from defocus_core import atomic, ingest, patches, provenance, sources

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
cv2.setNumThreads(snakemake.threads)
settings = snakemake.params.settings
table = ingest.manifest(
    sources.with_downloads(settings["sources"], snakemake.input.downloads),
    recipe=patches.Recipe(stride=snakemake.params.stride, sharpness=snakemake.params.sharpness),
    shares=settings["shares"],
    max_pixels=settings["max_pixels"],
)
for note in table.note[table.note != ""]:
    print("skipped", note)
print(table[table.skipped == ""].groupby("split").sharp_patches.agg(["count", "sum"]))
atomic.write_text(snakemake.output.manifest, table.to_csv(index=False))
provenance.record(snakemake)
