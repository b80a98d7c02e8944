"""The report opens in a real browser and shows what it promises."""

import shutil

import pytest
from checkout import run

CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_report_shows_every_table_and_figure_without_an_error(ran, tmp_path):
    ran.snakemake("--report=report.html")
    report = ran.folder / "report.html"
    code, output = run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--enable-logging=stderr",
            "--virtual-time-budget=8000",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            report.as_uri(),
        ],
        timeout=120,
    )
    assert code == 0, output[-3000:]
    errors = [line for line in output.splitlines() if "CONSOLE" in line and "rror" in line]
    assert errors == []
    for category in ("Training", "Comparison", "Benchmarks", "Applications"):
        assert category in output
    content = report.read_text()
    for name in ("accuracy.md", "levels.csv", "scores.md", "curve.png", "examples.png", "confusion.png"):
        assert name in content
