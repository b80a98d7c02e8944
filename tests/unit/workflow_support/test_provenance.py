import hashlib
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from defocus_core.io.provenance import ProvenanceError, find_provenance
from workflow_support import provenance
from workflow_support.provenance import _read_module, code_digest, note_start, record_provenance


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
    before = code_digest(root / "script.py", root)
    (root / name).write_text((root / name).read_text() + "\n# a remark")
    _read_module.cache_clear()
    assert code_digest(root / "script.py", root) == before
    (root / name).write_text((root / name).read_text() + "\nEDITED = 1")
    _read_module.cache_clear()
    assert (code_digest(root / "script.py", root) != before) == counts


def test_neither_docstrings_nor_the_version_count(root):
    module = root / "defocus_core/one.py"
    digests = []
    for text in ("", '"""What it is."""\n__version__ = "1"\n', '"""Another."""\n__version__ = "2"\n'):
        module.write_text(text + "def f():\n" + (f"    {text.splitlines()[0]}\n" if text else "") + "    return 1\n")
        _read_module.cache_clear()
        digests.append(code_digest(root / "script.py", root))
    assert digests[0] == digests[1] == digests[2]
    module.write_text(module.read_text().replace("return 1", "return 2"))
    _read_module.cache_clear()
    assert code_digest(root / "script.py", root) != digests[2]


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in.txt", "results/maps/set/a.npy", "results/maps/set/b.npy"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    job = SimpleNamespace(
        rule="maps",
        input=["in.txt"],
        output=["results/maps/set"],
        params={"code": "0123", "step": 8},
        config={"seed": 0},
    )
    note_start(job)
    return job


def test_every_file_of_a_result_says_what_made_it(job, tmp_path):
    file = record_provenance(job)
    noted = find_provenance(tmp_path / "results/maps/set/b.npy")
    assert (noted["rule"], noted["code"], noted["parameters"]) == ("maps", "0123", {"step": 8})
    assert noted["config"] == {"seed": 0}
    assert noted["inputs"] == {"in.txt": hashlib.sha256(b"in.txt").hexdigest()}
    assert set(noted["outputs"]) == {"results/maps/set/a.npy", "results/maps/set/b.npy"}
    assert noted["packages"]["numpy"]
    assert noted["machine"]["processors"] >= 1
    assert noted["unchanged"]
    before = file.read_bytes()
    assert record_provenance(job).read_bytes() == before


def test_an_input_edited_while_a_job_runs_is_noted_as_the_job_read_it(job, tmp_path):
    (tmp_path / "in.txt").write_text("edited")
    record_provenance(job)
    noted = find_provenance(tmp_path / "results/maps/set/b.npy")
    assert noted["inputs"] == {"in.txt": hashlib.sha256(b"in.txt").hexdigest()}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_commit_made_while_a_job_runs_is_not_that_of_its_code(job, tmp_path, monkeypatch):
    checkout = tmp_path / "checkout"
    monkeypatch.setattr(provenance, "__file__", str(checkout / "workflow_support/provenance.py"))

    def git(*what):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *who, "-C", checkout, *what], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    checkout.mkdir()
    git("init", "--quiet")
    (checkout / "file.py").write_text("A = 1\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    (checkout / "file.py").write_text("A = 2\n")
    note_start(job)
    started = git("rev-parse", "HEAD") + "+"
    git("commit", "--quiet", "-am", "two")
    record_provenance(job)
    assert find_provenance(tmp_path / "results/maps/set/b.npy")["commit"] == started


def test_a_result_that_was_edited_since_says_so_wherever_the_checkout_lies(job, tmp_path):
    record_provenance(job)
    moved = tmp_path / "elsewhere/results"
    moved.parent.mkdir()
    (tmp_path / "results").rename(moved)
    (moved / "maps/set/a.npy").write_text("edited")
    assert not find_provenance(moved / "maps/set/a.npy")["unchanged"]
    assert find_provenance(moved / "maps/set/b.npy")["unchanged"]


def test_a_file_of_which_nothing_is_noted_is_named(job, tmp_path):
    with pytest.raises(ProvenanceError, match="nothing is noted of"):
        find_provenance(tmp_path / "in.txt")
    with pytest.raises(ProvenanceError, match="no file"):
        find_provenance(tmp_path / "none.txt")


@pytest.mark.parametrize(("folder", "counts"), [("workflow_support", False), ("defocus_core", True)])
def test_the_digest_leaves_out_provenance_itself_and_no_other_module_of_that_name(root, folder, counts):
    module = root / folder / "provenance.py"
    module.parent.mkdir(exist_ok=True)
    module.write_text("")
    (root / "script.py").write_text(f"from {folder} import provenance")
    _read_module.cache_clear()
    before = code_digest(root / "script.py", root)
    _read_module.cache_clear()
    module.write_text("EDITED = 1")
    assert (code_digest(root / "script.py", root) != before) == counts
