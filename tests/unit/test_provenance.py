import pytest

from defocus_core import provenance


@pytest.fixture
def root(tmp_path):
    files = {
        "script.py": "from defocus_core import one\nimport defocus_core.parts.two",
        "defocus_core/__init__.py": "",
        "defocus_core/one.py": "from .parts import METHODS",
        "defocus_core/other.py": "",
        "defocus_core/parts/__init__.py": "from .three import METHODS",
        "defocus_core/parts/two.py": "",
        "defocus_core/parts/three.py": "from .. import four\nMETHODS = 1",
        "defocus_core/four.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("script.py", True),
        ("defocus_core/__init__.py", True),
        ("defocus_core/one.py", True),
        ("defocus_core/parts/__init__.py", True),
        ("defocus_core/parts/two.py", True),
        ("defocus_core/parts/three.py", True),
        ("defocus_core/four.py", True),
        ("defocus_core/other.py", False),
    ],
)
def test_the_digest_follows_what_the_script_reaches_by_import(root, name, counts):
    before = provenance.code_digest(root / "script.py", root)
    (root / name).write_text((root / name).read_text() + "\n# a remark")
    provenance._parsed.cache_clear()
    assert provenance.code_digest(root / "script.py", root) == before
    (root / name).write_text((root / name).read_text() + "\nEDITED = 1")
    provenance._parsed.cache_clear()
    assert (provenance.code_digest(root / "script.py", root) != before) == counts
