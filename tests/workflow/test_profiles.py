"""The profiles agree, and the one without a scheduler runs jobs of its own."""

import subprocess

import pytest
import yaml
from checkout import ROOT, Checkout

SHARED = ("rerun-triggers", "max-checksum-file-size", "show-failed-logs", "rerun-incomplete", "nolock")


@pytest.mark.parametrize("name", ["slurm", "generic", "kubernetes"])
def test_what_makes_a_job_rerun_is_the_same_in_every_profile(name):
    files = (ROOT / f"profiles/{profile}/config.yaml" for profile in ("default", name))
    default, other = (yaml.safe_load(file.read_text()) for file in files)
    assert {key: other[key] for key in SHARED} == {key: default[key] for key in SHARED}


def test_the_generic_profile_submits_and_waits_and_says_what_failed(tmp_path):
    checkout = Checkout.fresh(tmp_path)
    options = ("--workflow-profile=profiles/generic", "--latency-wait=5", "--retries=0")
    status = "--seconds-between-status-checks=1"
    checkout.snakemake(*options, status, "results/ingest/manifest.csv")
    assert (checkout.folder / "results/ingest/manifest.csv").is_file()
    overlay = {"ingest": {"sources": [{"package": "skimage", "images": ["no_such"], "licence": "none"}]}}
    code, output = checkout.snakemake(*options, status, "results/ingest/manifest.csv", overlay=overlay, check=False)
    assert code != 0
    assert "has no image no_such" in output


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        ({"bjobs": "echo DONE"}, "success"),
        ({"bjobs": "echo EXIT"}, "failed"),
        ({"bjobs": "echo PEND"}, "running"),
        ({"bjobs": "exit 255", "bhist": "echo Done successfully. The CPU time used is 3 s"}, "success"),
        ({"bjobs": "exit 255", "bhist": "echo Exited with exit code 1"}, "failed"),
        ({"bjobs": "exit 255", "bhist": "exit 1"}, "running"),
        ({"qacct": "exit 1", "qstat": "exit 0"}, "running"),
        ({"qacct": "exit 1", "qstat": "exit 1"}, "running"),
        ({"qacct": "printf 'failed 0\nexit_status 0\n'", "qstat": "exit 1"}, "success"),
        ({"qacct": "printf 'failed 0\nexit_status 137\n'", "qstat": "exit 1"}, "failed"),
    ],
)
def test_the_status_of_a_job_is_what_the_scheduler_says(tmp_path, commands, answer):
    for name, script in commands.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [ROOT / "profiles/generic/status", "17"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == answer
