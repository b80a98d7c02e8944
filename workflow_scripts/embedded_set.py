"""Rule embedded_set: scenes of exactly known blur from photographs that packages carry."""

from defocus_core.evaluation.known_scenes import write_embedded_set
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
write_embedded_set(snakemake.output.folder, seed=snakemake.params.seed, size=snakemake.params.size)
record_provenance(snakemake)
