"""The workflow catalog finds the workflow in workflow/Snakefile, from any folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def dry_run(snakefile, folder):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--cores", "1", "--dry-run", "--quiet", "rules"],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    table = (done.stdout + done.stderr).split("Job stats:")[-1]
    return set(re.findall(r"^(\w+) +\d+$", table, re.MULTILINE)) - {"total"}


def test_the_catalog_s_snakefile_asks_for_what_the_project_s_does(tmp_path):
    rules = dry_run(ROOT / "Snakefile", tmp_path)
    assert {"ingest", "train", "maps", "application", "all"} <= rules
    assert dry_run(ROOT / "workflow/Snakefile", tmp_path) == rules - {"all"} | {"catalog_all"}
