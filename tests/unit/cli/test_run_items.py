from pathlib import Path

import pytest

from defocus_core.cli.inputs import UsageError
from defocus_core.cli.run_items import run_each_item

FILES = [Path(f"{index}.png") for index in range(8)]


def fail_from(first):
    def one(file):
        if int(file.stem) >= first:
            raise ValueError(f"{file}: too large" if file.stem == "7" else "too small")

    return one


def test_all_that_fail_of_many_are_named():
    said = r"^2 of 8 images failed: 6\.png: too small; 7\.png: too large$"
    with pytest.raises(UsageError, match=said):
        run_each_item(FILES, "read", fail_from(6), jobs=2)
    with pytest.raises(UsageError, match=r"^7 of 8 images failed: 1\.png: too small; 2\.png.*; 7\.png: too large$"):
        run_each_item(FILES, "read", fail_from(1), jobs=1)


def test_one_that_fails_alone_says_what_it_said():
    with pytest.raises(ValueError, match=r"^too small$"):
        run_each_item(FILES[:1], "read", fail_from(0), jobs=1)


def test_where_nothing_fails_nothing_is_said():
    run_each_item(FILES, "read", fail_from(8), jobs=None)
