"""Rule download: photographs from the web -> a folder."""

import os
from pathlib import Path

import pooch

from workflow_support import downloads
from workflow_support.job import start_job
from workflow_support.provenance import record_provenance

start_job(snakemake)
cache = Path(os.environ.get("DEFOCUS_CACHE", pooch.os_cache("defocus")))
file = downloads.fetch_file(snakemake.params.url, sha256=snakemake.wildcards.sha256, cache=cache)
print(len(downloads.unpack_images(file, snakemake.output.folder)), "photographs from", snakemake.params.url)
record_provenance(snakemake)
