import zlib

import numpy as np
import pytest

from defocus_core.evaluation.benchmark_sets import (
    BenchmarkSetError,
    list_stacks,
    listed_pairs,
    made_pairs,
    maps_by_stem,
    pair_images,
    shard_of,
    shard_pairs,
)
from defocus_core.io.write import write


def test_two_pictures_of_one_stem_are_refused(tmp_path, pair):
    write(tmp_path / "masks/a.tif", np.zeros((3, 4), np.uint8))
    with pytest.raises(BenchmarkSetError, match=r"masks: a.png and a.tif have one stem"):
        pair_images(tmp_path / "photographs", tmp_path / "masks")
    write(tmp_path / "photographs/a.jpg", np.zeros((3, 4), np.uint8))
    (tmp_path / "masks/a.tif").unlink()
    with pytest.raises(BenchmarkSetError, match=r"photographs: a.jpg and a.png have one stem"):
        pair_images(tmp_path / "photographs", tmp_path / "masks")


@pytest.fixture
def numbered(tmp_path):
    """Five photographs and their masks."""
    for folder in ("photographs", "masks"):
        for index in range(1, 6):
            write(tmp_path / folder / f"{index}.png", np.zeros((3, 4), np.uint8))
    return tmp_path / "photographs", tmp_path / "masks"


def test_a_range_of_places_counts_from_one_with_both_ends_in(numbered):
    def names(**places):
        return [pair.name for pair in pair_images(*numbered, **places)]

    assert names() == ["1", "2", "3", "4", "5"]
    assert names(first=2, last=3) == ["2", "3"]
    assert names(first=4) == ["4", "5"]
    assert names(last=1) == ["1"]
    with pytest.raises(BenchmarkSetError, match=r"no images in .*photographs' from 6 to the end"):
        names(first=6)


def test_a_missing_folder_and_a_missing_truth_are_named(numbered):
    photographs, masks = numbered
    with pytest.raises(BenchmarkSetError, match=r"no folder 'none'; docs/data\.md says"):
        pair_images(photographs, "none")
    (masks / "3.png").unlink()
    with pytest.raises(BenchmarkSetError, match=r"masks: no truth for 1 images, such as 3\.png"):
        pair_images(photographs, masks)
    assert len(pair_images(photographs, masks, last=2)) == 2  # what is not taken needs no truth


def test_every_photograph_is_in_one_shard_and_a_new_one_moves_no_other(numbered):
    pairs = pair_images(*numbered)
    shards = shard_pairs(pairs, 3)
    assert sorted(pair.name for shard in shards for pair in shard) == ["1", "2", "3", "4", "5"]
    assert all(shard_of(pair.name, 3) == index for index, shard in enumerate(shards) for pair in shard)
    fewer = shard_pairs(pairs[1:], 3)
    assert [[pair for pair in shard if pair.name != "1"] for shard in shards] == fewer
    assert shard_of("image_0001", 7) == zlib.crc32(b"image_0001") % 7


def test_pairs_that_are_listed_in_turns_are_those_of_the_set(numbered):
    pairs = pair_images(*numbered)
    assert listed_pairs([str(path) for pair in pairs for path in (pair.image, pair.truth)]) == pairs
    assert listed_pairs([]) == []
    with pytest.raises(ValueError, match="shorter"):
        listed_pairs(["a.png"])


def test_the_shards_of_a_made_set_share_its_photographs(tmp_path):
    for index in range(1, 6):
        write(tmp_path / f"images/{index}.png", np.zeros((3, 4), np.uint8))
        write(tmp_path / f"sigma/{index}.png", np.zeros((3, 4), np.uint8))
    shards = [made_pairs(tmp_path, shard=shard, shards=2, last=4) for shard in (0, 1)]
    assert sorted(pair.name for shard in shards for pair in shard) == ["1", "2", "3", "4"]
    assert all(shard_of(pair.name, 2) == index for index, shard in enumerate(shards) for pair in shard)


def test_stacks_are_subfolders_of_two_shots_or_more_in_order(tmp_path):
    for name in ("b/10.png", "b/9.png", "a/1.png", "a/2.png", "single/1.png"):
        write(tmp_path / name, np.zeros((3, 4), np.uint8))
    stacks = list_stacks(tmp_path)
    assert [stack.name for stack in stacks] == ["a", "b"]
    assert [shot.name for shot in stacks[1].shots] == ["9.png", "10.png"]
    with pytest.raises(BenchmarkSetError, match="no subfolder with two images or more"):
        list_stacks(tmp_path / "single")
    with pytest.raises(BenchmarkSetError, match="no folder"):
        list_stacks(tmp_path / "none")


def test_of_a_map_and_its_picture_the_map_is_taken(tmp_path):
    for name in ("a.png", "b.png", "b.jpg"):
        write(tmp_path / name, np.zeros((3, 4), np.uint8))
    np.save(tmp_path / "b.npy", np.zeros((3, 4)))
    assert {stem: path.name for stem, path in maps_by_stem(tmp_path).items()} == {"a": "a.png", "b": "b.npy"}
