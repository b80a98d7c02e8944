"""A copy of the workflow for tests, and how to run it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PARTS = (
    "Snakefile",
    "config.yaml",
    "config",
    "rules",
    "workflow_scripts",
    "defocus_core",
    "workflow_support",
    "profiles",
    "report",
    "envs",
)


def run(command, *, timeout=1800, **options):
    """Run a command and all that it starts; past the timeout, nothing of it stays behind."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output


class Checkout:
    """A copy of the workflow in which a test may edit, run and break things."""

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def fresh(cls, folder: Path):
        """Copy the workflow to a folder, without any result."""
        for part in PARTS:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, folder / part)
        return cls(folder)

    def copy(self, folder: Path):
        """Copy this checkout to a folder, with its results."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Checkout(folder)

    def command(self, *arguments, overlay=None):
        """Return the command that runs snakemake with the smoke overlay, and another one over it."""
        files = ["config/smoke.yaml"]
        if overlay is not None:
            (self.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
            files.append("overlay.yaml")
        options = [a for a in arguments if a.startswith("-")]
        targets = [a for a in arguments if not a.startswith("-")]
        return [sys.executable, "-m", "snakemake", *options, "--configfile", *files, "--", *targets]

    @property
    def environment(self):
        """Return the environment in which this checkout's own library is imported."""
        return {**os.environ, "PYTHONPATH": str(self.folder)}

    def snakemake(self, *arguments, overlay=None, check=True, through=()):
        """Run snakemake, through another command if there is one; return its status and its output."""
        command = [*through, *self.command(*arguments, overlay=overlay)]
        code, output = run(command, cwd=self.folder, env=self.environment)
        if check and code:
            raise AssertionError(output[-6000:])
        return code, output

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
