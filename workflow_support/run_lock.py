"""One run at a time in a folder."""

from __future__ import annotations

import fcntl
import os
import platform
from pathlib import Path
from typing import IO


class LockedError(RuntimeError):
    """Another run is at work in this folder."""


_HELD: list[IO[str]] = []  # open as long as this process: closing a file gives its lock up


def lock_run(path: str | Path) -> str:
    """Let no second run into this folder; the lock ends with this process, however it ends.

    Parameters
    ----------
    path : file of the lock

    Returns
    -------
    a warning where the file system has no locks, so that nothing keeps a second run out; else nothing

    Raises
    ------
    LockedError
        That names the process which holds the lock.
    """
    lock = open(path, "a+")  # noqa: SIM115 - open as long as the run
    warning = ""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read()
        lock.close()
        raise LockedError(
            f"another run is at work in this folder ({holder}); wait for its end or stop it, then run again"
        ) from error
    except OSError as error:
        warning = f"this folder cannot be locked against a second run: {error}"
    lock.truncate(0)
    lock.write(f"process {os.getpid()} on {platform.node()}")
    lock.flush()
    _HELD.append(lock)
    return warning
