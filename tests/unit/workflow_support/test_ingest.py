import hashlib

import cv2
import numpy as np
import pytest

from defocus_core.io.write import write
from defocus_core.training.patches import PatchConfig
from workflow_support import ingest
from workflow_support.sources import SourceError

SHARES = {"train": 0.5, "validation": 0.25, "test": 0.25}


def _photograph(seed, side=96):
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    fine = np.random.default_rng(seed + 1000).integers(-120, 120, (side, side, 1))
    return np.clip(cv2.resize(coarse, (side, side)).astype(int) + fine, 0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for seed in range(8):
        write(tmp_path / f"{seed}.png", _photograph(seed))
    return tmp_path


def _manifest(folder, **more):
    source = {"folder": str(folder), "licence": "mine"}
    return ingest.build_manifest([source], config=PatchConfig(), split_fractions=SHARES, **more)


def test_a_source_is_named_by_what_it_is_of_and_not_by_what_is_null(folder):
    nulls = dict.fromkeys(("package", "folder", "url", "images"))
    source = {**nulls, "folder": str(folder), "licence": "mine"}
    table = ingest.build_manifest([source], config=PatchConfig(), split_fractions=SHARES)
    assert table.equals(_manifest(folder))


def test_the_manifest_says_what_each_file_is(folder):
    table = _manifest(folder)
    row = table.iloc[0]
    assert row.path.endswith("0.png")
    assert (row.width, row.height, row.sharp_patches) == (96, 96, 9)
    assert row.sha256 == hashlib.sha256((folder / "0.png").read_bytes()).hexdigest()
    assert set(table.split) == {"train", "validation", "test"}


def test_one_scene_is_never_on_two_sides(folder):
    for seed in range(8):
        image = _photograph(seed)
        write(folder / f"{seed}_again.jpg", image)
        write(folder / f"{seed}_small.png", cv2.resize(image, (80, 80), interpolation=cv2.INTER_AREA))
    (folder / "copy.png").write_bytes((folder / "0.png").read_bytes())
    table = _manifest(folder)
    assert len(table) == 25
    assert table.scene.nunique() == 8
    assert (table.groupby("scene").split.nunique() == 1).all()


def test_a_new_photograph_moves_no_other_one(folder):
    before = _manifest(folder).set_index("path").split
    write(folder / "new.png", _photograph(99))
    after = _manifest(folder).set_index("path").split
    assert after[before.index].equals(before)


def test_every_split_has_sharp_patches_where_there_are_enough(tmp_path):
    for seed in range(12):
        image = _photograph(seed)
        write(tmp_path / f"{seed}.png", image if seed < 3 else cv2.GaussianBlur(image, (0, 0), 3))
    table = _manifest(tmp_path)
    assert (table.groupby("split").sharp_patches.sum() > 0).all()
    assert set(table.split) == {"train", "validation", "test"}


def test_bad_files_are_skipped_with_a_reason(folder):
    write(folder / "tiny.png", np.zeros((31, 90), np.uint8))
    write(folder / "huge.png", np.zeros((200, 200), np.uint8))
    (folder / "text.png").write_text("nothing")
    whole = (folder / "0.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    table = _manifest(folder, max_pixels=150 * 150)
    skipped = table[table.skipped != ""]
    reasons = dict(zip(skipped.path.str.rpartition("/")[2], skipped.skipped, strict=True))
    assert reasons == {
        "tiny.png": "tiny",
        "huge.png": "huge",
        "text.png": "unreadable",
        "cut.png": "truncated",
    }
    assert skipped.note.str.contains("png").all()
    assert (skipped.split == "").all()


def test_all_skipped_is_an_error(tmp_path):
    (tmp_path / "a.png").write_text("nothing")
    with pytest.raises(SourceError, match="all 1 files were skipped: unreadable"):
        _manifest(tmp_path)
