import os
import subprocess
import sys

import numpy as np
import pytest

from defocus_core.io import atomic


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "folder/a.txt"
    atomic.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic.replacing(path) as part:
        part.write_text(str(1 / 0))
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_is_whole_until_the_new_one_is(tmp_path):
    path = tmp_path / "a.bin"
    atomic.write_bytes(path, b"old")
    with atomic.replacing(path) as part:
        part.write_bytes(b"new")
        assert part.parent == path.parent
        assert part.suffix == path.suffix
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_arrays_of_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        atomic.write_array(tmp_path / "a.npy", np.array([{}], object))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_array_cut_short(tmp_path, full_disk):
    with pytest.raises(OSError, match=r"cannot write .*/a\.npy"):
        atomic.write_array(tmp_path / "a.npy", np.zeros((100, 100)))
    assert not list(tmp_path.iterdir())


def test_the_longest_names_can_be_written(tmp_path):
    path = tmp_path / f"{'a' * 251}.txt"
    atomic.write_text(path, "text")
    assert path.read_text() == "text"


def test_a_text_is_utf_8_whatever_the_locale(tmp_path):
    code = f"from defocus_core.io import atomic; atomic.write_text({str(tmp_path / 'a.html')!r}, '\\u2605 \\xfc')"
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", code], env=plain, check=True)
    assert (tmp_path / "a.html").read_bytes() == "\u2605 \xfc".encode()
