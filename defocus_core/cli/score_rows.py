"""The rows of `defocus score`: measured, sorted, with the best of each burst, as a table and in files."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from defocus_core.applications.score.bursts import group_bursts, perceptual_hash
from defocus_core.applications.score.measure import Box, Score, measure, region_of
from defocus_core.applications.score.planes import Planes
from defocus_core.cli.contact_sheet import Entry, contact_sheet, thumbnail
from defocus_core.cli.inputs import Item, UsageError, file_of_shot
from defocus_core.io import atomic
from defocus_core.io.exif import exif_time
from defocus_core.io.read import read_photograph
from defocus_core.networks.classifier import Classifier

STARS = ((0.6, 5), (1.0, 4), (1.6, 3), (2.5, 2))  # largest sigma in pixels of each rating; 1 beyond
SUFFIXES = (".csv", ".json")
NUMBERS_WIDTH = 64  # characters of all columns but the first, in a table on the terminal
SHOWN = ("sharpest_sigma", "in_focus_fraction", "median_sigma_in_focus", "base_sigma", "evidence")


@dataclass(frozen=True)
class Row:
    """A photograph's score, or why it has none.

    Parameters
    ----------
    image : its name as it was given
    score : None where it could not be measured
    error : why, in one line
    phash, time : what bursts are told by
    burst : number from 1 of its burst, None where it is of none
    best : whether it is the sharpest of its burst
    picture : (h, w, 3) uint8 thumbnail with what is in focus outlined, where it was asked for
    """

    image: str
    score: Score | None = None
    error: str = ""
    phash: np.ndarray | None = field(default=None, repr=False)
    time: datetime | None = None
    burst: int | None = None
    best: bool = False
    picture: np.ndarray | None = field(default=None, repr=False)

    @property
    def sharpness(self) -> float:
        """Sigma by which rows are sorted, infinity where there is none."""
        sigma = self.score.sharpest_sigma if self.score else math.nan
        return math.inf if math.isnan(sigma) else sigma

    @property
    def rating(self) -> int | None:
        """1 to 5 stars, None where nothing tells of blur."""
        if math.isinf(self.sharpness):
            return None
        return next((stars for largest, stars in STARS if self.sharpness <= largest), 1)


def parse_box(text: str) -> Box:
    """Return a box from X,Y,W,H; raise ValueError unless these are whole numbers and W and H above 0."""
    try:
        x, y, width, height = map(int, text.split(","))
    except ValueError:
        raise UsageError(f"--box is X,Y,W,H in whole pixels, such as 100,50,400,300, not {text!r}") from None
    if x < 0 or y < 0:
        raise UsageError(f"the corner of --box lies in the photograph, at 0,0 or beyond, not at {x},{y}")
    if width < 1 or height < 1:
        raise UsageError(f"the width and height of --box are at least 1, not {width} and {height}")
    return x, y, width, height


def measure_row(
    file: Item, *, model: Classifier, mask: Path | None, box: Box | None, half_size: bool, pictures: bool
) -> Row:
    """Measure a photograph; raise ValueError or OSError where it cannot be read or does not fit."""
    photograph = read_photograph(file, half_size=half_size)
    pixels = photograph.for_measuring()
    within = region_of(pixels.shape[:2], mask=None if mask is None else _read_mask(mask), box=box)
    if photograph.empty is not None and not photograph.empty.all():
        within = ~photograph.empty if within is None else within & ~photograph.empty
        if not within.any():
            raise ValueError("the subject lies where the photograph shows nothing; give another box or mask")
    found, focused = measure(pixels, model=model, within=within, pixel_size=photograph.pixel_size)
    picture = thumbnail(pixels, focused) if pictures else None
    return Row(str(file), found, "", perceptual_hash(pixels), exif_time(file_of_shot(file)), picture=picture)


def _read_mask(path: Path) -> np.ndarray:
    """Return where an image shows something that is not black, (H, W) bool."""
    photograph = read_photograph(path)
    marked = np.atleast_3d(photograph.pixels).max(2) > 0
    return marked if photograph.empty is None else marked & ~photograph.empty


def ranked(rows: Sequence[Row]) -> list[Row]:
    """Return rows with their bursts and the best of each, the sharpest first and those without a score last.

    Those in which nothing tells of blur are of no burst: a black frame looks like any other.
    """
    hashed = [row for row in rows if row.phash is not None and row.rating is not None]
    bursts = group_bursts([row.phash for row in hashed if row.phash is not None], [row.time for row in hashed])
    several = sorted({burst for burst in bursts if bursts.count(burst) > 1})
    numbers = {id(row): several.index(burst) + 1 for row, burst in zip(hashed, bursts, strict=True) if burst in several}
    winners = {
        id(min((row for row in hashed if numbers.get(id(row)) == number), key=lambda row: row.sharpness))
        for number in numbers.values()
    }
    found = [replace(row, burst=numbers.get(id(row)), best=id(row) in winners) for row in rows]
    return sorted(found, key=lambda row: (row.sharpness, row.score is None))


def table_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one line a row, with the columns of the CSV file."""
    lines = []
    for row in rows:
        numbers = asdict(row.score) | {"sharpest_um": row.score.sharpest_um} if row.score else {}
        own = {"rating": row.rating, "burst": row.burst, "best_of_burst": row.best, "error": encodable(row.error)}
        lines.append({"image": encodable(row.image), **numbers, **own})
    columns = ["image", *Score.__dataclass_fields__, "sharpest_um", "rating", "burst", "best_of_burst", "error"]
    return pd.DataFrame(lines, columns=columns).astype({"rating": "Int64", "burst": "Int64"})


def encodable(text: str) -> str:
    """Return a text in which bytes that are not UTF-8, as names of files may have, are replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def planes_table(stack: str, planes: Planes) -> pd.DataFrame:
    """Return one line a plane, counted from 1."""
    return pd.DataFrame(
        {
            "stack": encodable(stack),
            "plane": np.arange(1, len(planes.sigmas) + 1),
            "sigma": planes.sigmas,
            "sharpest": [index == planes.sharpest for index in range(len(planes.sigmas))],
            "confidence": [
                planes.confidence if index == planes.sharpest else np.nan for index in range(len(planes.sigmas))
            ],
        }
    )


def write_scores(table: pd.DataFrame, path: Path) -> None:
    """Write a table as .csv, or as .json: a list of objects in which null is what is not known."""
    if path.suffix.lower() == ".json":
        records = json.loads(table.to_json(orient="records", double_precision=6))
        atomic.write_text(path, json.dumps(records, indent=1) + "\n")
    else:
        atomic.write_text(path, table.to_csv(index=False, float_format="%.6g"))


def sheet_of(rows: Sequence[Row]) -> str:
    """Return the contact sheet of rows, as HTML."""
    return contact_sheet([Entry(encodable(row.image), _lines_of(row), row.picture, row.best) for row in rows])


def _lines_of(row: Row) -> list[str]:
    if row.score is None:
        return [encodable(row.error)]
    burst = [f"burst {row.burst}{', the best' if row.best else ''}"] if row.burst else []
    if row.rating is None:
        return ["nothing tells of blur", *burst]
    score, stars = row.score, "★" * row.rating
    return [
        f"sigma {score.sharpest_sigma:.2f} at {score.x:.0f}, {score.y:.0f} {stars}",
        f"{100 * score.in_focus_fraction:.0f} % in focus; blur {_blur_of(score)}",
        *burst,
    ]


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """Print rows as a table; of images in one folder, their names there."""
    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    room = max(console.width - NUMBERS_WIDTH, 12) if console.is_terminal else None
    shown.add_column("image", no_wrap=True)
    for name in ("sigma", "x", "y", "in focus", "median", "base", "evidence"):
        shown.add_column(name, justify="right", no_wrap=True, min_width=4)
    shown.add_column("blur", no_wrap=True, min_width=5)
    shown.add_column("burst", no_wrap=True)
    folder = _common_folder([row.image for row in rows])
    for row in rows:
        name = escape(_shortened(os.path.relpath(row.image, folder) if folder else row.image, room))
        burst = f"{row.burst}{' best' if row.best else ''}" if row.burst else ""
        if row.score is None:
            shown.add_row(name, *[""] * 7, "error", burst)
            continue
        numbers = (getattr(row.score, column) for column in SHOWN)
        sigma, focus, median, base, evidence = (f"{value:.2f}" for value in numbers)
        place = (f"{value:.0f}" for value in (row.score.x, row.score.y))
        shown.add_row(name, sigma, *place, focus, median, base, evidence, _blur_of(row.score), burst)
    if not console.is_terminal:
        console.width = Console(width=10_000).measure(shown).maximum
    console.print(shown)


def _shortened(name: str, room: int | None) -> str:
    """Return a name in so many characters, without its middle: names of a burst differ at the end."""
    if room is None or len(name) <= room:
        return name
    head = room // 4
    return f"{name[:head]}…{name[head + 1 - room :]}"


def _common_folder(names: Sequence[str]) -> str:
    """Return the folder that all files lie in; nothing where they share none, as on several drives."""
    try:
        return os.path.commonpath([os.path.dirname(name) for name in names])
    except ValueError:
        return ""


def print_planes(table: pd.DataFrame, console: Console) -> None:
    """Print the planes of a stack as a table."""
    shown = Table(box=None, pad_edge=False)
    for name in ("stack", "plane", "sigma", "confidence"):
        shown.add_column(name)
    for line in table.itertuples():
        confidence = f"{line.confidence:.2f} sharpest" if line.sharpest else ""
        shown.add_row(escape(str(line.stack)), str(line.plane), f"{line.sigma:.2f}", confidence)
    console.print(shown)


def _blur_of(score: Score) -> str:
    return f"{score.motion_sigma:.1f} at {score.motion_angle:.0f}°" if score.blur == "directional" else score.blur
