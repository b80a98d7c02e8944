"""Rule no_reference: photographs sharpened by several methods, scored where no truth is known."""

import sys

from defocus_core import atomic, backbones, maps, no_reference, parallel, provenance, report, sources
from defocus_core.experiments import Setup, enhance

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
parallel.limit(snakemake.threads)

each = enhance.without_truth(
    Setup(backbones.load(snakemake.input.model), maps.arguments_from(snakemake.params.maps)),
    [path for source in snakemake.params.settings for path in sources.files(source)],
    {name: no_reference.score(name) for name in snakemake.params.scores},
)
atomic.write_text(snakemake.output.photographs, each.to_csv(index=False))
report.write_table(enhance.summary(each), snakemake.output.scores, snakemake.output.markdown)
provenance.record(snakemake)
