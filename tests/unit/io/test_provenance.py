import hashlib
import json

import pytest

from defocus_core.io.provenance import ProvenanceError, file_digest, find_provenance


@pytest.fixture
def results(tmp_path):
    """A run that made two files, and its record beside the first."""
    outputs = {"results/maps/a.npy": b"a", "results/scores/a.csv": b"scores"}
    for name, content in outputs.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in outputs.items()}
    noted = {"rule": "maps", "beside": "results/maps/a.npy", "outputs": digests}
    (tmp_path / "results/maps/a.npy.provenance.json").write_text(json.dumps(noted))
    return tmp_path / "results"


def test_the_record_beside_a_result_is_found_and_says_whether_it_is_as_it_was_made(results):
    assert find_provenance(results / "maps/a.npy") == {
        **json.loads((results / "maps/a.npy.provenance.json").read_text()),
        "unchanged": True,
    }
    (results / "maps/a.npy").write_bytes(b"edited")
    assert not find_provenance(str(results / "maps/a.npy"))["unchanged"]


def test_a_record_of_a_file_of_the_same_name_elsewhere_is_not_taken(results):
    (results / "maps/deeper").mkdir()
    (results / "maps/deeper/a.npy").write_bytes(b"a")
    with pytest.raises(ProvenanceError, match="nothing is noted of"):
        find_provenance(results / "maps/deeper/a.npy")


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"outputs": {"a.npy": "0"}}', '{"outputs": [], "beside": "x"}'])
def test_a_record_of_something_else_is_passed_over(results, content):
    (results / "maps/A.provenance.json").write_text(content)
    assert find_provenance(results / "maps/a.npy")["rule"] == "maps"


def test_a_record_copied_to_where_its_run_cannot_be_is_passed_over(results):
    noted = {"rule": "x", "outputs": {"a.npy": "0"}, "beside": "/".join(["deep"] * 99)}
    (results / "maps/A.provenance.json").write_text(json.dumps(noted))
    assert find_provenance(results / "maps/a.npy")["rule"] == "maps"


def test_a_missing_file_and_a_folder_are_named(results):
    for path in (results / "none.npy", results):
        with pytest.raises(ProvenanceError, match=r"no file .*; ask for one file of a result"):
            find_provenance(path)


def test_the_digest_is_sha256_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-4, appendix B.1
    assert file_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
