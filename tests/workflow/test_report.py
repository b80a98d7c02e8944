"""The report opens in a real browser and shows what it promises."""

import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_report_shows_every_table_and_figure_without_an_error(ran, tmp_path):
    ran.snakemake("--report=report.html")
    report = ran.folder / "report.html"
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--enable-logging=stderr",
            "--virtual-time-budget=8000",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            report.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line and "rror" in line]
    assert errors == []
    for category in ("Training", "Comparison", "Benchmarks", "Applications"):
        assert category in done.stdout
    content = report.read_text()
    for name in ("accuracy.md", "levels.csv", "scores.md", "curve.png", "examples.png", "confusion.png"):
        assert name in content
