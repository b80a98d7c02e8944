import math
from datetime import datetime

import numpy as np
import pytest
from rich.console import Console

from defocus_core.applications.score.measure import Score
from defocus_core.cli import score_rows
from defocus_core.cli.inputs import UsageError


def row(name, sigma, *, alike=0, second=0):
    found = Score(sigma, 0, 0, 1, sigma, sigma, 1, "round")
    return score_rows.Row(name, found, phash=np.full(64, bool(alike)), time=datetime(2026, 1, 1, 12, 0, second))


def test_names_are_shown_as_they_are_from_wherever_they_come(capsys):
    names = ["/somewhere/old[red].png", "here/new[old].png"]
    score_rows.print_rows([score_rows.Row(name, error="none") for name in names], Console())
    said = capsys.readouterr().out
    assert all(name in said for name in names)


def test_each_burst_has_one_best():
    rows = [row("a", 2), row("b", 1, second=1), row("c", 3, alike=1), row("d", 0.5, alike=1, second=30)]
    found = score_rows.ranked(rows)
    assert [(entry.image, entry.burst, entry.best) for entry in found] == [
        ("d", None, False),
        ("b", 1, True),
        ("a", 1, False),
        ("c", None, False),
    ]


@pytest.mark.parametrize(("sigma", "stars"), [(0.3, 5), (0.9, 4), (1.5, 3), (2, 2), (9, 1), (math.nan, None)])
def test_stars_follow_sigma(sigma, stars):
    assert row("a", sigma).rating == stars


def test_a_box_is_four_whole_numbers():
    assert score_rows.parse_box("1,2,3,4") == (1, 2, 3, 4)
    with pytest.raises(UsageError, match="not '1,2,3,x'"):
        score_rows.parse_box("1,2,3,x")


def test_a_narrow_terminal_shows_every_number(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    score = Score(0.43, 120, 77, 0.9, 0.5, 0.4, 0.8, "round")
    rows = [score_rows.Row(f"/a/very/long/folder/{'name' * 20}_{index}.jpg", score=score) for index in range(2)]
    score_rows.print_rows(rows, Console(force_terminal=True, color_system=None))
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert all(number in lines[-1] for number in ("0.43", "120", "77", "0.90", "0.50", "0.40", "0.80", "round"))
    assert lines[-1].startswith("name…ename_1.jpg ")


def test_photographs_that_tell_nothing_are_of_no_burst():
    rows = [row("a", math.nan), row("b", math.nan, second=1), row("c", 1, second=2)]
    assert [(found.burst, found.best) for found in score_rows.ranked(rows)] == [(None, False)] * 3


def test_on_a_terminal_names_of_a_burst_differ(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [score_rows.Row(f"IMG_20240102_12345{index}_HDR.jpg", error="none") for index in range(3)]
    score_rows.print_rows(rows, Console(force_terminal=True, color_system=None))
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert names == [f"IMG_…45{index}_HDR.jpg" for index in range(3)]
