"""Tables: in full for programs, rounded for the report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from defocus_core.io import atomic


def write_table(table: pd.DataFrame, csv: str | Path, markdown: str | Path, *, number_format: str = ".4f") -> None:
    """Write a table twice, without its index.

    Parameters
    ----------
    table : one row a method, a variant or the like
    csv : file of all digits
    markdown : file of rounded numbers
    number_format : of the rounded numbers
    """
    atomic.write_text(csv, table.to_csv(index=False))
    atomic.write_text(markdown, table.to_markdown(index=False, floatfmt=number_format) + "\n")
