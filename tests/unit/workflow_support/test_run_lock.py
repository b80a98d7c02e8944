import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from workflow_support.run_lock import LockedError, lock_run

HOLD = """
import sys
from workflow_support.run_lock import lock_run
held = lock_run(sys.argv[1])
print("held", flush=True)
input()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until its input ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_second_run_is_refused_and_told_the_first(tmp_path, holder):
    with pytest.raises(LockedError, match=rf"\(process {holder.pid} on {platform.node()}\); wait for its end"):
        lock_run(tmp_path / "lock")
    with pytest.raises(LockedError, match=f"process {holder.pid} on"):  # a refusal leaves the name as it is
        lock_run(tmp_path / "lock")


def test_after_the_process_ends_the_folder_is_free_however_it_ended(tmp_path, holder):
    holder.kill()
    holder.wait()
    lock, warning = lock_run(tmp_path / "lock")
    with lock:
        assert warning == ""
        assert (tmp_path / "lock").read_text() == f"process {os.getpid()} on {platform.node()}"


def test_a_closed_lock_can_be_taken_again(tmp_path):
    for _ in range(2):
        lock, warning = lock_run(str(tmp_path / "lock"))
        lock.close()
        assert warning == ""


def test_a_file_system_without_locks_is_told_and_stops_nothing(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    lock, warning = lock_run(tmp_path / "lock")
    lock.close()
    assert warning == "this folder cannot be locked against a second run: no locks available"
