"""Time and memory of building the job graph: python tools/scale.py [IMAGES...]; the table of docs/guides/cluster.md.

Each run is a dry run over a folder of that many (empty) photographs, all backbones, and one shard for
every hundred photographs, in synthesis as in maps and scores.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from defocus_core.networks.registry import patch_backbone_names

ROOT = Path(__file__).parents[1]


def measure(count: int, folder: Path) -> dict[str, float]:
    """Return jobs, seconds and peak megabytes of a dry run over `count` photographs."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for index in range(count):
            (folder / kind / f"{index:06d}.png").touch()
    shards = max(count // 100, 1)
    entry = {"truth": "masks", "images": "images", "truth_folder": "masks", "blurred_value": "white"}
    overlay = {
        "ingest": {"sources": [{"folder": "images", "licence": "none"}]},
        "backbones": patch_backbone_names(),
        "shards": shards,
        "benchmark_sets": {"large": {**entry, "shards": shards}},
        "benchmarks": ["large"],
    }
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--dry-run",
        "--quiet",
        "rules",
    ]
    command += ["--workflow-profile", ROOT / "profiles/default", "--configfile", "overlay.yaml"]
    start = time.perf_counter()
    with (
        open(folder / "output", "w+") as output,
        subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(text[-3000:])
    jobs = int(re.findall(r"^total +(\d+)", text, re.MULTILINE)[-1])
    return {
        "jobs": jobs,
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "mb": usage.ru_maxrss / 1024,
    }


def main() -> None:
    """Print one row of the table for each number of photographs."""
    print("| photographs | jobs | seconds | processor seconds | peak MB |\n|---|---|---|---|---|")
    for count in map(int, sys.argv[1:] or (10, 100, 1000, 10000)):
        with tempfile.TemporaryDirectory() as folder:
            row = measure(count, Path(folder))
        print(
            f"| {count} | {row['jobs']} | {row['seconds']:.1f} | {row['cpu']:.1f} | {row['mb']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
