"""Rule layered_scenes: photographs that are sharp all over -> training scenes of known blur."""

from pathlib import Path

import pandas as pd

from defocus_core.io.color import to_grey
from defocus_core.io.read import read_for_measuring
from defocus_core.maps.focus import is_all_in_focus, own_blur
from defocus_core.maps.pipeline import estimate
from defocus_core.networks.storage import load_model
from defocus_core.training.config import SceneConfig
from defocus_core.training.layered_scenes import split_seed, write_scenes
from defocus_core.training.scene_photographs import MIN_SIDE, SegmentedPhotograph
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance
from workflow_support.sources import locate_image

start_job(snakemake)
split = snakemake.wildcards.split
table = pd.read_csv(snakemake.input.manifest, keep_default_na=False)
paths = [locate_image(path) for path in table[table.split == split].path]
judge, fraction = load_model(snakemake.input.judge), snakemake.params.min_sharp_fraction
silhouettes = {(path.parent.name, path.stem): path for path in map(Path, snakemake.input.silhouettes)}
sharp = []
for path in paths:
    image = read_for_measuring(path)
    if min(image.shape[:2]) < MIN_SIDE:
        continue
    sigma = estimate(image, model=judge)
    if is_all_in_focus(sigma, min_fraction=fraction):
        silhouette = silhouettes.get((path.parent.name, path.stem))
        people = silhouette and to_grey(read_for_measuring(silhouette)) > 0.5
        sharp.append(SegmentedPhotograph.of(to_grey(image), own_blur(sigma), people))
soft = sum(photograph.sigma > 0 for photograph in sharp)
peopled = sum(photograph.people is not None for photograph in sharp)
print(f"{len(sharp)} of {len(paths)} photographs are sharp all over; {soft} are a little soft, {peopled} show people")
if split == "train" and snakemake.params.scene["people_fraction"] and not peopled:
    raise ValueError(
        "layered_scenes.scene.people_fraction: none of these photographs has a silhouette of people; "
        "that of FOLDER/NAME.jpg is FOLDER/NAME.png in layered_scenes.silhouettes"
    )
write_scenes(
    sharp,
    snakemake.output.scenes,
    config=SceneConfig(**snakemake.params.scene),
    count=snakemake.params.scenes,
    seed=split_seed(snakemake.params.seed, split),
)
record_provenance(snakemake)
