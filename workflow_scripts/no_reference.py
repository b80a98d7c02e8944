"""Rule no_reference: photographs sharpened by several methods, scored where no truth is known."""

from defocus_core.evaluation import no_reference
from defocus_core.evaluation.experiments import enhance
from defocus_core.evaluation.experiments.setup import Setup
from defocus_core.evaluation.tables import write_table
from defocus_core.io import atomic
from defocus_core.maps.config import map_arguments_from
from defocus_core.networks.storage import load_model
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance
from workflow_support.sources import source_files

start_job(snakemake)

each = enhance.without_truth(
    Setup(load_model(snakemake.input.model), map_arguments_from(snakemake.params.maps)),
    [path for source in snakemake.params.settings for path in source_files(source)],
    {name: no_reference.load_score(name) for name in snakemake.params.scores},
)
atomic.write_text(snakemake.output.photographs, each.to_csv(index=False))
write_table(enhance.summary(each), snakemake.output.scores, snakemake.output.markdown)
record_provenance(snakemake)
