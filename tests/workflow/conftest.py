import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PARTS = (
    "Snakefile",
    "config.yaml",
    "config",
    "rules",
    "workflow_scripts",
    "defocus_core",
    "profiles",
    "report",
    "envs",
)


class Checkout:
    """A copy of the workflow in which a test may edit, run and break things."""

    def __init__(self, folder: Path):
        self.folder = folder
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, folder / part)

    def snakemake(self, *arguments, overlay=None, check=True):
        """Run snakemake with the smoke overlay, and another one over it."""
        files = ["config/smoke.yaml"]
        if overlay is not None:
            (self.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
            files.append("overlay.yaml")
        options = [a for a in arguments if a.startswith("-")]
        targets = [a for a in arguments if not a.startswith("-")]
        command = [sys.executable, "-m", "snakemake", *options, "--configfile", *files, "--", *targets]
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        output = done.stdout + done.stderr
        if check and done.returncode:
            raise AssertionError(output[-6000:])
        return done.returncode, output

    def pending(self, overlay=None, *targets):
        """Return the rules that a run would run, with their number of jobs; {} if nothing is to be done."""
        _, output = self.snakemake("--dry-run", *targets, overlay=overlay)
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[-1].split("total")[0]
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}

    def pending_outputs(self, overlay=None):
        """Return the outputs that a run would make."""
        _, output = self.snakemake("--dry-run", overlay=overlay)
        return re.findall(r"^    output: (.*)$", output, re.MULTILINE)


@pytest.fixture(scope="session")
def ran(tmp_path_factory):
    """A checkout in which the smoke workflow has run once."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    checkout.snakemake()
    return checkout
