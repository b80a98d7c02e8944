"""Start a Snakemake job: its log file, its threads, and the note of what it starts from."""

from __future__ import annotations

import sys
from typing import Any

import cv2

from workflow_support.provenance import note_start


def start_job(job: Any) -> None:
    """Send what a job prints to its log, and keep OpenCV and torch, where it is loaded, to its threads.

    What it starts from is noted, see `note_start`.

    Parameters
    ----------
    job : has `log` (list of files), `threads` (int) and `input`, as the object that Snakemake gives to a script
    """
    sys.stdout = sys.stderr = open(job.log[0], "w", buffering=1)  # noqa: SIM115 - open until the job ends
    cv2.setNumThreads(job.threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(job.threads)
    note_start(job)
