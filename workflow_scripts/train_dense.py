"""Rule train_dense: layered scenes -> the dense network, starting from one trained on patches."""

from pathlib import Path

from defocus_core.memory import keep_freed_memory
from defocus_core.networks.storage import load_model, save_model
from defocus_core.training.config import TrainConfig
from defocus_core.training.datasets import SceneDataset
from defocus_core.training.layered_scenes import read_scenes
from defocus_core.training.loop import default_device, evaluate, train, write_history
from defocus_core.training.weight_averaging import interpolate_weights
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
keep_freed_memory()
device = default_device()
start = load_model(snakemake.input.start, folded=False)
sigmas = start.sigmas.numpy()
data = {
    split: SceneDataset.of(read_scenes(snakemake.input[split]), sigmas, device) for split in ("train", "validation")
}
checkpoint = Path(".checkpoints") / snakemake.params.code / snakemake.output.model
config, seed = TrainConfig(**snakemake.params.settings), snakemake.params.seed
model, history = train(
    snakemake.wildcards.dense,
    sigmas=sigmas,
    **data,
    config=config,
    seed=seed,
    start=start,
    checkpoint=checkpoint,
    report=print,
)
if weight := snakemake.params.start_weight:
    model = interpolate_weights(start.to(device), model, data["train"], config=config, seed=seed, start_weight=weight)
    print(f"averaged, {weight:g} of the start:", evaluate(model, data["validation"]))
save_model(model, snakemake.output.model, about={"train": dict(snakemake.params.settings)})
write_history(history, snakemake.output.history)
checkpoint.unlink(missing_ok=True)
record_provenance(snakemake)
