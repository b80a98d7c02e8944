"""Run a command on each of its files, and tell together which of them failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from defocus_core.cli.inputs import Item, UsageError

Outcome = TypeVar("Outcome")


def run_each_item(
    files: Sequence[Item], what: str, one: Callable[[Item], None], *, jobs: int | None, shown: bool = True
) -> None:
    """Run every file, with progress if it is shown; those that fail are named together at the end."""
    failed = []
    for file, outcome in zip(files, outcomes_of(files, what, one, jobs=jobs, shown=shown), strict=True):
        try:
            outcome()
        except (ValueError, OSError) as error:
            if len(files) == 1:
                raise
            failed.append(named(str(file), str(error)))
    report(failed, len(files))


def outcomes_of(
    files: Sequence[Item], what: str, one: Callable[[Item], Outcome], *, jobs: int | None, shown: bool = True
) -> Iterable[Callable[[], Outcome]]:
    """Run every file as `run_each` does, with progress if it is shown."""
    from defocus_core.cli import parallel

    outcomes = parallel.run_each(one, files, jobs=jobs)
    return _progress(outcomes, what, len(files)) if shown else outcomes


def named(file: str, error: str) -> str:
    """Return an error with the file it is of."""
    return error if file in error else f"{file}: {error}"


def report(failed: Sequence[str], count: int) -> None:
    """Raise an error that names those that failed, if any did."""
    if not failed:
        return
    said = "; ".join(failed)
    raise UsageError(f"{len(failed)} of {count} images failed: {said}" if count > 1 else said)


def _progress(outcomes: Iterable[Outcome], what: str, total: int) -> Iterable[Outcome]:
    console = Console(stderr=True)
    return track(outcomes, what, total, console=console, disable=not console.is_terminal)
