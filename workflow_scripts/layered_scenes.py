"""Rule layered_scenes: photographs that are sharp all over -> training scenes of known blur."""

import pandas as pd

from defocus_core.io.color import to_grey
from defocus_core.io.read import read_for_measuring
from defocus_core.maps.pipeline import is_all_in_focus
from defocus_core.networks.storage import load_model
from defocus_core.training.layered_scenes import SceneConfig, split_seed, write_scenes
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance
from workflow_support.sources import locate_image

start_job(snakemake)
split = snakemake.wildcards.split
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
paths = [locate_image(path) for path in table[table.split == split].path]
judge, fraction = load_model(snakemake.input.judge), snakemake.params.min_sharp_fraction
sharp = []
for image in map(read_for_measuring, paths):
    if is_all_in_focus(image, min_fraction=fraction, model=judge):
        sharp.append(to_grey(image))
print(f"{len(sharp)} of {len(paths)} photographs are sharp all over")
write_scenes(
    sharp,
    snakemake.output.scenes,
    config=SceneConfig(**snakemake.params.scene),
    count=snakemake.params.scenes,
    seed=split_seed(snakemake.params.seed, split),
)
record_provenance(snakemake)
