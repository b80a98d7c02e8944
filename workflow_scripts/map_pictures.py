"""Rule map_pictures: the maps of one shard of a set -> pictures with a colour bar."""

from pathlib import Path

from defocus_core.io.map_files import read_map
from defocus_core.io.map_pictures import write_map_picture
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
folder = Path(snakemake.output.folder)
folder.mkdir(parents=True, exist_ok=True)
for path in sorted(Path(snakemake.input.maps).glob("*.npy")):
    write_map_picture(read_map(path), folder / f"{path.stem}.png")
record_provenance(snakemake)
