"""The profiles agree, and the one without a scheduler runs jobs of its own."""

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
    code, output = checkout.snakemake(
        *options, status, "results/ingest/manifest.csv", overlay=overlay, check=False
    )
    assert code != 0
    assert "has no image no_such" in output
