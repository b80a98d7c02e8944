"""Rules train, train_recipe: patches -> one trained backbone."""

import sys
from pathlib import Path

from defocus_core import backbones, parallel, provenance, store, training, training_data

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)
name = snakemake.params.backbone
device = training.device()
columns = {split: store.read(snakemake.input[split]) for split in ("train", "validation")}
described = store.check(snakemake.input.train)["parameters"]
settings = training.settings_from(snakemake.params.settings, seed=snakemake.params.seed)
checkpoint = Path(".checkpoints") / snakemake.params.code / snakemake.output.model
model, history = training.train(
    name,
    sigmas=columns["train"]["sigmas"],
    train=training_data.Patches.of(columns["train"], device),
    validation=training_data.Patches.of(columns["validation"], device),
    settings=settings,
    checkpoint=checkpoint,
    report=print,
)
backbones.save(model, snakemake.output.model, about={**described, "train": dict(snakemake.params.settings)})
training.write_history(history, snakemake.output.history)
checkpoint.unlink(missing_ok=True)
provenance.record(snakemake)
