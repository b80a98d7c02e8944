"""Rules train, train_patch_variant: patches -> one trained backbone."""

from pathlib import Path

from defocus_core.training.patch_training import PatchTraining, train_on_patches
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
training = PatchTraining(
    backbone=snakemake.params.backbone,
    train=snakemake.input.train,
    validation=snakemake.input.validation,
    settings=dict(snakemake.params.settings),
    seed=snakemake.params.seed,
    checkpoint=str(Path(".checkpoints") / snakemake.params.code / snakemake.output.model),
    model=snakemake.output.model,
    history=snakemake.output.history,
)
train_on_patches(training, processes=snakemake.resources.get("gpu", 1), threads=snakemake.threads)
record_provenance(snakemake)
