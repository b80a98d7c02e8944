"""The `score` command: how sharp each photograph is, or each plane of a stack."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from defocus_core.cli import inputs, outputs
from defocus_core.cli.inputs import Item
from defocus_core.cli.run_items import named, outcomes_of, report
from defocus_core.io import atomic
from defocus_core.io.read import read_photograph
from defocus_core.io.sidecar import write_rating

if TYPE_CHECKING:
    import pandas as pd

    from defocus_core.applications.score.measure import Box
    from defocus_core.cli.score_rows import Row
    from defocus_core.networks.classifier import Classifier


def run_score(options: Namespace) -> None:
    """Print how sharp every image is, and write that where it is asked for."""
    from defocus_core.cli import score_rows
    from defocus_core.networks.storage import load_model

    if options.out and options.out.suffix.lower() not in score_rows.SUFFIXES:
        raise inputs.UsageError(f"--out is a .csv or .json file, not {str(options.out)!r}")
    if options.html and options.html.suffix.lower() not in (".html", ".htm"):
        raise inputs.UsageError(f"--html is an .html file, not {str(options.html)!r}")
    if options.mask and options.box:
        raise inputs.UsageError("--mask and --box both say where the subject is; give one")
    box, model = score_rows.parse_box(options.box) if options.box else None, load_model(options.model)
    if options.planes:
        _run_planes(options, model)
        return
    files = inputs.expand_paths(options.images, **inputs.chosen_places(options))
    taken = [*map(inputs.file_of_shot, files), *([options.mask] if options.mask else [])]
    for option, path in (("--out", options.out), ("--html", options.html)):
        if path:
            outputs.refuse_overwriting(taken, [path], option=option)
            taken.append(path)
    outputs.make_folders(path for path in (options.out, options.html) if path)
    rows = score_rows.ranked(_score_rows(files, options, model=model, box=box))
    score_rows.print_rows(rows, Console())
    if options.out:
        score_rows.write_scores(score_rows.table_of(rows), options.out)
    if options.html:
        atomic.write_text(options.html, score_rows.sheet_of(rows))
    failed = [named(row.image, row.error) for row in rows if row.error]
    if options.rating:
        failed += _write_ratings(rows, files)
    report(failed, len(files))


def _score_rows(files: list[Item], options: Namespace, *, model: Classifier, box: Box | None) -> list[Row]:
    """Return a row a photograph; that of one which cannot be measured says why."""
    from defocus_core.cli import score_rows

    def one(file: Item) -> Row:
        return score_rows.measure_row(
            file,
            model=model,
            mask=options.mask,
            box=box,
            half_size=options.half_size,
            pictures=options.html is not None,
        )

    rows = []
    for file, outcome in zip(files, outcomes_of(files, "scores", one, jobs=options.jobs), strict=True):
        try:
            rows.append(outcome())
        except (ValueError, OSError) as error:
            rows.append(score_rows.Row(str(file), error=" ".join(str(error).split())))
    return rows


def _write_ratings(rows: list[Row], files: list[Item]) -> list[str]:
    """Write the stars of each file that has some into its sidecar; return what fails.

    They are those of its sharpest picture, which comes first.
    """
    of_name = {str(file): inputs.file_of_shot(file) for file in files}
    stars: dict[Path, int] = {}
    for row in rows:
        if row.rating:
            stars.setdefault(of_name[row.image], row.rating)
    failed = []
    for file, rating in stars.items():
        try:
            write_rating(file, rating)
        except (ValueError, OSError) as error:
            failed.append(named(str(file), str(error)))
    return failed


def _run_planes(options: Namespace, model: Classifier) -> None:
    """Print which plane of each stack is the sharpest, and write that where it is asked for."""
    import pandas as pd

    from defocus_core.applications.score.planes import sharpest_plane
    from defocus_core.cli import score_rows

    given = [f"--{name}" for name in ("mask", "box", "rating", "html") if getattr(options, name)]
    if given:
        raise inputs.UsageError(f"{given[0]} does not go with --planes, which has one line a plane")
    stacks = inputs.group_stacks(options.images, **inputs.chosen_places(options))
    outputs.make_folders([options.out] if options.out else [])
    tables = []

    def one(stack: Item) -> pd.DataFrame:
        shots = (read_photograph(shot, half_size=options.half_size).for_measuring() for shot in stacks[stack])
        return score_rows.planes_table(str(stack), sharpest_plane(shots, model=model))

    failed = []
    for stack, outcome in zip(stacks, outcomes_of(list(stacks), "stacks", one, jobs=options.jobs), strict=True):
        try:
            tables.append(outcome())
            score_rows.print_planes(tables[-1], Console())
        except (ValueError, OSError) as error:
            failed.append(named(str(stack), str(error)))
    if options.out and tables:
        score_rows.write_scores(pd.concat(tables), options.out)
    report(failed, len(stacks))
