"""Rule download: photographs from the web -> a folder."""

import os
import sys
from pathlib import Path

import pooch

from defocus_core import downloads, provenance

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)
cache = Path(os.environ.get("DEFOCUS_CACHE", pooch.os_cache("defocus")))
file = downloads.fetch(snakemake.params.url, sha256=snakemake.wildcards.sha256, cache=cache)
print(len(downloads.unpack(file, snakemake.output.folder)), "photographs from", snakemake.params.url)
provenance.record(snakemake)
