"""Rules train, train_patch_variant: patches -> one trained backbone."""

from pathlib import Path

from defocus_core.networks.storage import save_model
from defocus_core.training.datasets import PatchDataset
from defocus_core.training.loop import TrainConfig, default_device, train, write_history
from defocus_core.training.patch_store import check_patch_file, read_patches
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
name = snakemake.params.backbone
device = default_device()
columns = {split: read_patches(snakemake.input[split]) for split in ("train", "validation")}
described = check_patch_file(snakemake.input.train)["parameters"]
checkpoint = Path(".checkpoints") / snakemake.params.code / snakemake.output.model
model, history = train(
    name,
    sigmas=columns["train"]["sigmas"],
    train=PatchDataset.of(columns["train"], device),
    validation=PatchDataset.of(columns["validation"], device),
    config=TrainConfig(**snakemake.params.settings),
    seed=snakemake.params.seed,
    checkpoint=checkpoint,
    report=print,
)
save_model(model, snakemake.output.model, about={**described, "train": dict(snakemake.params.settings)})
write_history(history, snakemake.output.history)
checkpoint.unlink(missing_ok=True)
record_provenance(snakemake)
