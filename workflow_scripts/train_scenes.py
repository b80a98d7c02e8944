"""Rule train_scenes: scenes -> the dense network, starting from one trained on patches."""

import sys
from pathlib import Path

from defocus_core import backbones, composites, parallel, provenance, training, training_data

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)
device = training.device()
start = backbones.load(snakemake.input.start, folded=False)
sigmas = start.sigmas.numpy()
data = {
    split: training_data.Scenes.of(composites.read(snakemake.input[split]), sigmas, device)
    for split in ("train", "validation")
}
checkpoint = Path(".checkpoints") / snakemake.params.code / snakemake.output.model
settings = training.settings_from(snakemake.params.settings, seed=snakemake.params.seed)
model, history = training.train(
    "scenenet",
    sigmas=sigmas,
    **data,
    settings=settings,
    start=start,
    checkpoint=checkpoint,
    report=print,
)
if snakemake.params.average:
    share = snakemake.params.average
    model = training.averaged(start.to(device), model, data["train"], settings=settings, share=share)
    print(f"averaged, {share:g} of the start:", training.evaluate(model, data["validation"]))
backbones.save(model, snakemake.output.model, about={"train": dict(snakemake.params.settings)})
training.write_history(history, snakemake.output.history)
checkpoint.unlink(missing_ok=True)
provenance.record(snakemake)
