import time

import h5py
import numpy as np
import pytest

from defocus_core.training.patch_store import (
    PatchStoreError,
    PatchWriter,
    check_patch_file,
    join_shards,
    read_patches,
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
