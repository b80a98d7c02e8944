"""Files from elsewhere cannot run code, read other files or fill the memory."""

import pickle
import struct
import zlib

import h5py
import numpy as np
import pytest
import torch

from defocus_core.constants import PATCH_SIZE
from defocus_core.evaluation import benchmark
from defocus_core.io.errors import ImageError
from defocus_core.io.read import read
from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.storage import load_model
from defocus_core.training.checkpoint import TrainingState, snapshot
from defocus_core.training.layered_scenes import read_scenes
from defocus_core.training.patch_store import CHUNK_ROWS, COLUMNS, PatchStoreError, PatchWriter, read_patches
from workflow_support.sources import SourceError, locate_image


class Trap:
    def __reduce__(self):
        return (exec, ("open('trapped', 'w').close()",))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder in which no trap has gone off at the end."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not (tmp_path / "trapped").exists()


def test_the_trap_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Trap()))
    assert (tmp_path / "trapped").exists()


@pytest.mark.parametrize("name", ["bad.pt", "bad.pth", "bad.safetensors"])
def test_a_pickled_model_is_refused(place, name):
    torch.save({"state": Trap()}, place / name)
    with pytest.raises(ValueError, match=r"no model|not weights of this project"):
        load_model(place / name)


def test_a_pickled_checkpoint_only_costs_its_epochs(place):
    torch.save({"stamp": Trap()}, place / "c.safetensors")
    model = build_classifier("blurnet", [0, 1])
    optimizer = torch.optim.AdamW(model.parameters())
    state = TrainingState({"model": model}, optimizer, best=snapshot(model), sums=torch.zeros(2))
    state.resume(place / "c.safetensors", stamp="stamp")
    assert (state.step, state.history) == (0, [])


def test_an_array_of_objects_is_refused(place):
    np.save(place / "bad.npy", np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"bad.npy: not an .npy file of numbers$") as raised:
        benchmark.read_sigma(place / "bad.npy")
    assert "allow_pickle" in str(raised.value.__cause__)


def patch_file(path):
    with PatchWriter(path, sigmas=[0, 1], images=["a"], parameters={}) as writer:
        patches = np.zeros((3, PATCH_SIZE, PATCH_SIZE), np.uint8)
        writer.append(patches=patches, level=1, image=0, position=np.zeros((3, 2), np.int32))
    return path


def test_pickles_in_a_patch_file_are_never_loaded(place):
    path = patch_file(place / "bad.h5")
    with h5py.File(path, "a") as file:
        file.attrs["parameters"] = np.void(pickle.dumps(Trap()))
        del file["images"]
        file["images"] = np.void(pickle.dumps(Trap()))
    with pytest.raises(PatchStoreError, match="run again"):
        read_patches(path)
    with h5py.File(path, "w") as file:
        file["images"] = file["sigma"] = np.void(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="run again"):
        read_scenes(path)


@pytest.mark.parametrize("way", ["link", "external", "virtual", "level"])
def test_a_patch_file_cannot_read_what_is_not_its_own(place, way):
    (place / "in").mkdir()
    other = patch_file(place / "other.h5")
    (place / "secret").write_bytes(bytes(3))
    path = patch_file(place / "in/bad.h5")
    with h5py.File(path, "a") as file:
        del file["level"]
        if way == "link":
            file["level"] = h5py.ExternalLink(str(other), "level")
        elif way == "external":
            file.create_dataset("level", (3,), np.uint8, external=[(str(place / "secret"), 0, 3)])
        elif way == "virtual":
            layout = h5py.VirtualLayout((3,), np.uint8)
            layout[:] = h5py.VirtualSource("../other.h5", "level", (3,), np.uint8)
            file.create_virtual_dataset("level", layout)
        else:
            chunks = {"chunks": (CHUNK_ROWS,), "maxshape": (None,)}
            file.create_dataset("level", data=np.full(3, 7, np.uint8), **chunks)
    with pytest.raises(PatchStoreError, match=r"another file|outside of its folder|level 7 of 2"):
        read_patches(path)


def test_a_patch_file_that_claims_more_than_it_holds_is_not_read_into_memory(place):
    path = patch_file(place / "bomb.h5")
    with h5py.File(path, "a") as file:
        for name in COLUMNS:
            file[name].resize(2**40, axis=0)
    with pytest.raises(PatchStoreError, match="fewer values than it claims"):
        read_patches(path)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_that_would_fill_the_memory_is_refused_by_its_header(place, depth):
    header = struct.pack(">IIBBBBB", 200_000, 200_000, depth, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    (place / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    with pytest.raises(ImageError, match="200000x200000 pixels, more than the limit") as caught:
        read(place / "bomb.png")
    assert caught.value.reason == "huge"


@pytest.mark.parametrize("path", ["package:skimage/../../secret.png", "package:skimage//etc/passwd"])
def test_a_manifest_cannot_name_files_outside_of_a_package(path):
    with pytest.raises(SourceError, match="no photograph of a package"):
        locate_image(path)
