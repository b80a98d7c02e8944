import numpy as np
import pytest

from defocus_core.io.write import write
from defocus_core.training.patches import PatchConfig
from workflow_support import ingest
from workflow_support.sources import SourceError, folder_files, locate_image, resolve_downloads, source_files

SHARES = {"train": 0.5, "validation": 0.25, "test": 0.25}


def test_a_missing_folder_says_how_to_get_it(tmp_path):
    source = {"folder": str(tmp_path / "div2k"), "licence": "", "get": "fetch it there"}
    with pytest.raises(SourceError, match=r"no folder .*div2k.*fetch it there"):
        source_files(source)


def test_packages_carry_photographs_that_can_be_found_again():
    source = {"package": "skimage", "images": ["astronaut", "coffee", "rocket"], "licence": ""}
    table = ingest.build_manifest([source], config=PatchConfig(), split_fractions=SHARES)
    assert table.path.tolist() == [f"package:skimage/{n}" for n in ("astronaut.png", "coffee.png", "rocket.jpg")]
    assert all(locate_image(path).is_file() for path in table.path)
    with pytest.raises(SourceError, match="no image unicorn"):
        source_files({"package": "skimage", "images": ["unicorn"]})


def test_the_first_of_a_source_and_what_is_watched(tmp_path):
    for name in "ba":
        write(tmp_path / f"{name}.png", np.zeros((4, 4), np.uint8))
    package = {"package": "skimage", "images": ["rocket", "coffee"], "limit": 1}
    assert [path.stem for path in source_files(package)] == ["rocket"]
    assert folder_files([package, {"folder": str(tmp_path), "limit": 1}]) == [str(tmp_path / "a.png")]


def test_null_is_as_good_as_left_out(tmp_path):
    write(tmp_path / "a.png", np.zeros((64, 64), np.uint8))
    nulls = dict.fromkeys(("package", "folder", "url", "sha256", "images", "get", "limit"))
    source = {**nulls, "folder": str(tmp_path)}
    assert folder_files([source]) == [str(tmp_path / "a.png")]
    assert resolve_downloads([source], []) == [source]
    package = {**nulls, "package": "skimage", "images": ["rocket"], "limit": 1}
    assert [path.stem for path in source_files(package)] == ["rocket"]
    assert folder_files([package]) == []
    with pytest.raises(SourceError, match=r"no folder .*; docs/data\.md says"):
        source_files({**nulls, "folder": str(tmp_path / "none")})


def test_sources_from_one_archive_share_its_folder():
    taken = [{"url": "one", "sha256": digest, "images": [name]} for digest, name in ("1a", "2b", "1c")]
    found = resolve_downloads(taken, ["results/downloads/1", "results/downloads/2"])
    assert [source["folder"][-1] for source in found] == ["1", "2", "1"]
    assert [source["images"] for source in found] == [["a"], ["b"], ["c"]]
