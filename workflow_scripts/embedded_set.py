"""Rule embedded_set: scenes of exactly known blur from photographs that packages carry."""

import sys

import cv2

from defocus_core import provenance, scenes

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
cv2.setNumThreads(snakemake.threads)
scenes.write_set(snakemake.output.folder, seed=snakemake.params.seed, size=snakemake.params.size)
provenance.record(snakemake)
