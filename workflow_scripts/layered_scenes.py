"""Rule layered_scenes: photographs that are sharp all over -> training scenes of known blur."""

from pathlib import Path

import pandas as pd

from defocus_core.networks.storage import load_model
from defocus_core.training.config import SceneConfig
from defocus_core.training.layered_scenes import frame_side, split_seed, write_scenes
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance
from workflow_support.scene_sources import read_sharp_photographs
from workflow_support.sources import locate_image

start_job(snakemake)
split, config = snakemake.wildcards.split, SceneConfig(**snakemake.params.scene)
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
paths = [locate_image(path) for path in table[table.split == split].path]
sharp = read_sharp_photographs(
    paths,
    judge=load_model(snakemake.input.judge),
    min_sharp_fraction=snakemake.params.min_sharp_fraction,
    min_side=frame_side(config),
    silhouettes=map(Path, snakemake.input.silhouettes),
)
soft = sum(photograph.sigma > 0 for photograph in sharp)
peopled = sum(photograph.people is not None for photograph in sharp)
print(f"{len(sharp)} of {len(paths)} photographs are sharp all over; {soft} are a little soft, {peopled} show people")
write_scenes(
    sharp,
    snakemake.output.scenes,
    config=config,
    count=snakemake.params.scenes,
    seed=split_seed(snakemake.params.seed, split),
)
record_provenance(snakemake)
