"""The workflow through a real Slurm, on loopback, gives what a local run gives."""

import os
import re
import shutil
from pathlib import Path

import pytest
from checkout import Checkout

HERE = Path(__file__).parent
DAEMONS = all(map(shutil.which, ("slurmctld", "slurmd", "sbatch")))
pytestmark = [
    pytest.mark.skipif(not DAEMONS, reason="slurm-wlm is not installed; make test-slurm installs it"),
    pytest.mark.skipif(os.geteuid() != 0, reason="slurmctld and slurmd on loopback need root"),
]
NO_CLUSTER = 70  # with_slurm's status where the daemons do not come up
THEN_LIST_JOBS = '"$@"; code=$?; scontrol show job --oneliner >jobs.txt; exit $code'


def test_sbatch_gives_every_job_its_resources_and_the_results_of_a_local_run(ran, tmp_path):
    checkout = Checkout.fresh(tmp_path)
    targets = ("results/models/blurnet/model.safetensors", "results/benchmarks/embedded/scores.csv")
    code, output = checkout.snakemake(
        "--workflow-profile=profiles/slurm",
        "--slurm-init-seconds-before-status-checks=2",
        "--seconds-between-status-checks=2",
        "--latency-wait=5",
        "--retries=0",
        *targets,
        through=[HERE / "with_slurm", "bash", "-c", THEN_LIST_JOBS, "bash"],
        check=False,
    )
    if code == NO_CLUSTER:
        pytest.skip(f"slurmctld and slurmd do not start on this machine: {output[-1000:]}")
    assert code == 0, output[-6000:]
    jobs = {}
    for line in (checkout.folder / "jobs.txt").read_text().splitlines():
        fields = dict(re.findall(r"(\S+?)=(\S*)", line))
        jobs[fields["Comment"].removeprefix("rule_").partition("_wildcards_")[0]] = fields
    assert {fields["JobState"] for fields in jobs.values()} == {"COMPLETED"}
    assert set(jobs) == {
        "ingest",
        "synthesize",
        "join",
        "train",
        "embedded_set",
        "maps",
        "score",
        "benchmark",
    }
    train, ingest = jobs["train"], jobs["ingest"]
    assert "mem=6000M" in train["TRES"]
    assert "cpu=2" in train["TRES"]
    assert "gpu:1" in train["TresPerJob"]
    assert train["TimeLimit"] == "12:00:00"
    assert "mem=2000M" in ingest["TRES"]
    assert ingest["TimeLimit"] == "01:00:00"
    assert "TresPerJob" not in ingest
    made = [p.relative_to(checkout.folder) for p in (checkout.folder / "results").rglob("*") if p.is_file()]
    assert len(made) > 40
    for name in made:
        assert (checkout.folder / name).read_bytes() == (ran.folder / name).read_bytes(), name
