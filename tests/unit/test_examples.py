"""The notebooks run as plain scripts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_leaves_its_picture(example, tmp_path):
    environment = {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", example],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout
    assert (tmp_path / f"{example.stem}.png").stat().st_size > 10_000


def test_there_are_three_examples_and_each_is_a_notebook():
    assert [path.stem for path in EXAMPLES] == ["fuse_a_stack", "map_of_a_photograph", "train_a_network"]
    for path in EXAMPLES:
        assert "#     formats: py:percent" in path.read_text()
        assert path.read_text().count("# %%") >= 5
