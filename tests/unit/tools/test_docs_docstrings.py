import pytest

pytest.importorskip("griffe", reason="requirements-docs.txt is not installed")
import docs_docstrings

DOCSTRING = """Blur an image.

Parameters
----------
image : (H, W) float32, grey
    levels in [0, 1]
low, high : bounds, see `gaussian_blur`

Returns
-------
near, far : (H, W) float32, m
    each

Raises
------
ValueError
    If `image` is empty.
"""


def test_meanings_move_from_the_place_of_types():
    rewritten = docs_docstrings.rewrite(DOCSTRING)
    assert "image\n    (H, W) float32, grey\n    levels in [0, 1]\n" in rewritten
    assert "low, high\n    bounds, see `gaussian_blur`\n" in rewritten
    assert ":\n    `near`, `far`: (H, W) float32, m\n" in rewritten
    assert rewritten.endswith("ValueError\n    If `image` is empty.\n")


def test_public_names_become_links_but_for_parameters():
    linked = docs_docstrings.link_names(DOCSTRING, {"gaussian_blur": "a.gaussian_blur", "image": "b.image"}, {"image"})
    assert "[`gaussian_blur`][a.gaussian_blur]" in linked
    assert "If `image` is empty" in linked
