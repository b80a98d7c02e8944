"""Rule fuse_set: every stack of shots of a set, fused, and scored beside other methods and their results."""

import sys
from pathlib import Path

from defocus_core import atomic, backbones, maps, parallel, plots, provenance, report, sets
from defocus_core.experiments import Setup, fuse

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)

settings = snakemake.params.settings
each, panels = fuse.of_stacks(
    Setup(backbones.load(snakemake.input.model), maps.arguments_from(snakemake.params.maps)),
    sets.stacks(settings["stacks"]),
    peers={name: Path(folder) for name, folder in settings.get("peers", {}).items()},
    commands=settings.get("commands", {}),
    folder=Path(snakemake.output.folder),
)
means = each.drop(columns="stack").groupby("method", as_index=False).mean()
atomic.write_text(snakemake.output.stacks, each.to_csv(index=False))
report.write_table(
    means.sort_values("q_abf", ascending=False), snakemake.output.scores, snakemake.output.markdown
)
plots.side_by_side(panels, snakemake.output.figure, columns=6)
provenance.record(snakemake)
