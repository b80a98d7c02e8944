import sys
from types import SimpleNamespace

import cv2
import pytest
import torch

from workflow_support.job import start_job


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Start a job of some threads and return its log; output and threads are afterwards as they were."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    threads, opened = (cv2.getNumThreads(), torch.get_num_threads()), []

    def start(count):
        start_job(SimpleNamespace(log=[str(tmp_path / "job.log")], threads=count, input=[]))
        opened.append(sys.stdout)
        return tmp_path / "job.log"

    yield start
    for file in opened:
        file.close()
    cv2.setNumThreads(threads[0])
    torch.set_num_threads(threads[1])


def test_what_a_job_prints_goes_to_its_log_line_by_line(start):
    log = start(1)
    print("at work")
    assert log.read_text() == "at work\n"
    print("failed", file=sys.stderr)
    assert log.read_text() == "at work\nfailed\n"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_keeps_to_its_threads(start, threads):
    start(threads)
    assert cv2.getNumThreads() == threads
    assert torch.get_num_threads() == threads
