"""Pillow's limit on pixels is a variable of the whole process, in which other programs may rely on it."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from defocus_core.io.errors import ImageError
from defocus_core.io.pages import list_pages
from defocus_core.io.pillow import without_size_limit
from defocus_core.io.read import read
from defocus_core.io.write import write


@pytest.fixture
def limit(monkeypatch):
    """A limit that this process has set for itself."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1234)
    return 1234


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_reading_and_writing_leave_the_limit_as_it_was(tmp_path, limit, dtype):
    image = np.zeros((60, 80, 3), dtype)  # more pixels than the limit
    write(tmp_path / "a.png", image)
    assert np.array_equal(read(tmp_path / "a.png"), image)
    write(tmp_path / "b.png", image, like=tmp_path / "a.png")
    assert len(list_pages(tmp_path / "a.png")) == 1
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("content", [b"no image", b"\x89PNG\r\n\x1a\n", b"II*\0"])
def test_a_failed_reading_leaves_the_limit_as_it_was(tmp_path, limit, content):
    (tmp_path / "a.png").write_bytes(content)
    for reader in (read, list_pages):
        with pytest.raises(ImageError):
            reader(tmp_path / "a.png")
    assert limit == Image.MAX_IMAGE_PIXELS


def test_the_limit_is_lifted_inside_and_back_after_an_error(limit):
    seen = []
    with pytest.raises(ZeroDivisionError), without_size_limit():
        seen.append(1 / (Image.MAX_IMAGE_PIXELS or 0))
    assert seen == []  # there was no limit to divide by
    assert limit == Image.MAX_IMAGE_PIXELS


def test_threads_side_by_side_leave_the_limit_as_it_was(limit):
    def lift():
        for _ in range(200):
            with without_size_limit():
                assert Image.MAX_IMAGE_PIXELS is None

    threads = [threading.Thread(target=lift) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert limit == Image.MAX_IMAGE_PIXELS


IMPORT_ALL = """
import importlib, pkgutil
import PIL.Image, torch
limit, state = PIL.Image.MAX_IMAGE_PIXELS, torch.get_rng_state()
import defocus_core
names = [found.name for found in pkgutil.walk_packages(defocus_core.__path__, "defocus_core.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
assert len(names) > 80, names
assert PIL.Image.MAX_IMAGE_PIXELS == limit
assert torch.equal(torch.get_rng_state(), state)
"""


def test_importing_every_module_changes_neither_the_limit_nor_torchs_random_numbers():
    subprocess.run([sys.executable, "-c", IMPORT_ALL], check=True)
