import time

import h5py
import numpy as np
import pytest

from defocus_core.io.write import write
from defocus_core.training.patch_store import (
    PatchStoreError,
    PatchWriter,
    check_patch_file,
    join_shards,
    read_patches,
)
from defocus_core.training.patches import (
    PatchConfig,
    write_patches,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "p.h5"
    with PatchWriter(path, sigmas=[0, 1], images=["a"], parameters={"k": 1}) as writer:
        block = np.random.default_rng(0).integers(0, 256, (700, 32, 32), dtype=np.uint8)
        writer.append(patches=block, level=1, image=0, position=np.zeros((700, 2), np.int32))
    return path


def test_what_is_written_is_read(path):
    assert check_patch_file(path)["patches"] == 700
    assert check_patch_file(path)["parameters"] == {"k": 1}
    columns = read_patches(path)
    assert columns["patches"].shape == (700, 32, 32)
    assert set(columns["level"]) == {1}


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), PatchWriter(tmp_path / "x.h5", sigmas=[0], images=[], parameters={}):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("keep", [0, 100, 5000, 0.5, 0.99])
def test_a_cut_off_file_is_refused(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 else keep])
    with pytest.raises(PatchStoreError, match="run again"):
        read_patches(path)


def test_a_damaged_chunk_is_refused(path):
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    with pytest.raises(PatchStoreError, match="run again"):
        read_patches(path)


def test_joining_twice_gives_the_same_bytes(path, tmp_path):
    join_shards([path], tmp_path / "one.h5")
    time.sleep(1.1)  # HDF5 counts times in seconds
    join_shards([path], tmp_path / "two.h5")
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_another_hdf5_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(PatchStoreError, match="not a complete"):
        check_patch_file(tmp_path / "other.h5")


def test_no_sharp_patch_at_all_is_an_error_when_shards_are_joined(tmp_path):
    write(tmp_path / "flat.png", np.full((64, 64), 99, np.uint8))
    options = {"config": PatchConfig(), "seed": 0, "parameters": {}}
    assert write_patches([("00", tmp_path / "flat.png")], tmp_path / "x.h5", **options) == 0
    with pytest.raises(PatchStoreError, match=r"lower patches\.min_sharpness"):
        join_shards([tmp_path / "x.h5"], tmp_path / "joined.h5")
    assert not (tmp_path / "joined.h5").exists()


def test_shards_of_different_runs_are_not_joined(tmp_path, photograph):
    write(tmp_path / "a.png", photograph)
    for seed in (1, 2):
        write_patches(
            [("00", tmp_path / "a.png")],
            tmp_path / f"{seed}.h5",
            config=PatchConfig(),
            seed=0,
            parameters={"seed": seed},
        )
    with pytest.raises(PatchStoreError, match="shards of different runs"):
        join_shards([tmp_path / "1.h5", tmp_path / "2.h5"], tmp_path / "joined.h5")
