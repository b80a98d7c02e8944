"""Rule score: our maps, the baselines and the maps of peers, scored on a shard of one set."""

import json
import sys
from pathlib import Path

import cv2

from defocus_core import atomic, benchmark, provenance, sets
from defocus_core.focus import in_focus

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
cv2.setNumThreads(snakemake.threads)
settings, shard = snakemake.params.settings, int(snakemake.wildcards.shard)
maps = Path(snakemake.input.maps)
members = sets.pairs(*snakemake.params.folders, **snakemake.params.pairing)
members = sets.sharded(members, snakemake.params.shards)[shard]
methods = {"map": lambda pair, grey: benchmark.read_sigma(maps / f"{pair.name}.npy")}
if settings["truth"] == "masks":
    methods["probability"] = lambda pair, grey: 1 - in_focus(methods["map"](pair, grey))
methods |= benchmark.baseline_methods(snakemake.params.methods)
peers = settings.get("peers", {})
methods |= benchmark.peer_methods(peers)
units = benchmark.units(peers)

if settings["truth"] == "masks":
    scores = benchmark.score_masks(methods, members, blurred=settings["blurred"], units=units)
    part = {name: score.state() for name, score in scores.items()}
else:
    part = benchmark.score_sigma(methods, members, settings, units=units).to_dict("records")
atomic.write_text(snakemake.output.part, json.dumps(part))
print(f"{len(members)} photographs, {len(methods)} methods")
provenance.record(snakemake)
