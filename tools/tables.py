"""Fill the tables of docs/results.md from what was measured: python tools/tables.py [FOLDER OF RESULTS].

A comment above a table says where its numbers come from, source by source in the order of its columns::

    <!-- benchmarks/rtf/scores.csv by method: mae, mse, correlation -->
    <!-- applications/magnify/scores.csv where scenes == 'composites' by method: psnr / ssim -->

A column is an expression of the file's columns; one cell may hold several, parted by " / ". A row of the
table takes the rows of the file whose key stands in backticks in its first cell, or is all of that cell, and
of several their mean.
Numbers keep their decimals and what is around them, bold marks too: look whether the best is still the best.
Rows without such a key, and sources without a file, stay as they are.
"""

import math
import re
import sys
from pathlib import Path

import pandas as pd

SOURCE = re.compile(r"<!-- (\S+\.csv)(?: where (.+?))? by (\w+): (.+?) -->")
NUMBER = re.compile(r"-?\d*\.?\d+")


def filled(text: str, results: Path) -> str:
    """Return a document with the numbers of its tables as the files under `results` have them."""
    lines, sources = [], []
    for line in text.splitlines():
        is_row = line.startswith("|")
        if found := SOURCE.fullmatch(line):
            sources.append(found.groups())
        elif not is_row:
            sources = []
        lines.append(_row(line, sources, results) if is_row and sources else line)
    return "\n".join(lines) + "\n"


def _row(line: str, sources: list[tuple], results: Path) -> str:
    label, *cells = line.strip("|").split("|")
    values = []
    for name, where, key, columns in sources:
        row = _measured(results / name, where, key, label)
        for column in columns.split(", "):
            values.append([float(row.eval(part).mean()) for part in column.split(" / ")] if len(row) else [])
    cells = [_cell(cell, numbers) for cell, numbers in zip(cells, values, strict=True)]
    return "|".join(["", label, *cells, ""])


def _measured(path: Path, where: str | None, key: str, label: str) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    table = pd.read_csv(path)
    names = re.findall(r"`([^`]+)`", label) or [label.replace("*", "").strip()]
    table = table.query(where) if where else table
    return table[table[key].isin(names)]


def _cell(cell: str, values: list[float]) -> str:
    """Put values in the place of a cell's numbers, each with the decimals of the one before."""
    if any(math.isnan(value) for value in values):
        return cell
    if values and len(NUMBER.findall(cell)) > len(values):
        raise ValueError(f"the cell {cell.strip()!r} has more numbers than its source, {len(values)}")
    rest = iter(values)

    def rounded(found: re.Match) -> str:
        number = f"{next(rest):.{len(found[0].partition('.')[2])}f}"
        return number if found[0].startswith(("0", "-0")) else re.sub(r"^(-?)0\.", r"\1.", number)

    return NUMBER.sub(rounded, cell) if values else cell


if __name__ == "__main__":
    document = Path(__file__).parent.parent / "docs/results.md"
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    document.write_text(filled(document.read_text(), folder))
