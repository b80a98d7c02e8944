"""Rule score: our maps, the baselines and the maps of peers, scored on a shard of one set."""

import json
from pathlib import Path

from defocus_core.evaluation import benchmark
from defocus_core.evaluation.benchmark_sets import listed_pairs, made_pairs
from defocus_core.io import atomic
from defocus_core.io.arrays import read_array
from defocus_core.maps.focus import in_focus
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
settings, made = snakemake.params.settings, snakemake.params.made
maps, files = Path(snakemake.input.maps), snakemake.input.files
members = made_pairs(files, **made) if made else listed_pairs(files)


def read_map(pair, grey):
    return benchmark.read_sigma(maps / f"{pair.name}.npy")


def out_of_focus(pair, grey):
    return 1 - in_focus(read_map(pair, grey), certainty=read_array(maps / "certainty" / f"{pair.name}.npy"))


methods = {"map": read_map}
if settings["truth"] == "masks":
    methods["probability"] = out_of_focus
methods |= benchmark.baseline_methods(snakemake.params.methods)
peers = settings["peers"]
methods |= benchmark.peer_methods(peers)
units = benchmark.method_units(peers)

if settings["truth"] == "masks":
    scores = benchmark.score_masks(methods, members, blurred_value=settings["blurred_value"], units=units)
    part = {name: score.state() for name, score in scores.items()}
else:
    part = benchmark.score_sigma(methods, members, settings, units=units).to_dict("records")
atomic.write_text(snakemake.output.part, json.dumps(part))
print(f"{len(members)} photographs, {len(methods)} methods")
record_provenance(snakemake)
