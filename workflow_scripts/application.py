"""Rule application: run the script of the one asked for (pods get no script with a wildcard in its name)."""

import runpy
from pathlib import Path

runpy.run_path(
    str(Path(__file__).with_name(f"{snakemake.wildcards.application}.py")), {"snakemake": snakemake}
)
