"""Patch files: HDF5, written in a stream, the same bytes for the same input."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np
import numpy.typing as npt

from defocus_core.constants import PATCH_SIZE
from defocus_core.io import atomic
from defocus_core.io.provenance import file_digest

FORMAT = "defocus-patches-1"
CHUNK_ROWS = 512
BUFFERED_ROWS = 16 * CHUNK_ROWS  # rows that wait for one write: 8 MB
COLUMNS = {
    "patches": ((PATCH_SIZE, PATCH_SIZE), np.uint8),
    "level": ((), np.uint8),
    "image": ((), np.int32),
    "position": ((2,), np.int32),
}


class PatchStoreError(ValueError):
    """A file that is not a whole, valid patch file."""


class PatchWriter:
    """Append patches to a new file; it takes its name only once it is whole.

    Parameters
    ----------
    path : file to make; until the end of the `with` block it has a temporary name
    sigmas : (levels,) true standard deviation of each level, in pixels
    images : name of each photograph that the `image` column may point to
    parameters : anything JSON can hold; kept as an attribute

    Notes
    -----
    Columns: `patches` (N, 32, 32) uint8, `level` (N,) uint8, `image` (N,) int32 and
    `position` (N, 2) int32 (row, column of the top left corner). Attributes: `sigmas`,
    `images`, `parameters`, `format` and `complete`.
    """

    def __init__(self, path: str | Path, *, sigmas: npt.ArrayLike, images: list[str], parameters: dict):
        self._open = ExitStack()
        self._file = self._open.enter_context(h5py.File(self._open.enter_context(atomic.replacing(path)), "w"))
        for name, (shape, dtype) in COLUMNS.items():
            self._file.create_dataset(
                name,
                shape=(0, *shape),
                maxshape=(None, *shape),
                chunks=(CHUNK_ROWS, *shape),
                dtype=dtype,
                compression="lzf",
                fletcher32=True,
            )
        self._file.create_dataset("images", data=json.dumps(images))
        self._file.attrs["format"] = FORMAT
        self._file.attrs["sigmas"] = np.asarray(sigmas, np.float32)
        self._file.attrs["parameters"] = json.dumps(parameters, sort_keys=True)
        self._file.attrs["complete"] = False
        self._waiting: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
        self._written = self._held = 0

    def append(self, *, patches: np.ndarray, level: int, image: int, position: np.ndarray) -> None:
        """Append patches of one photograph at one level; see the class for shapes."""
        block: dict[str, np.ndarray | int] = {"patches": patches, "level": level, "image": image, "position": position}
        for name, (shape, dtype) in COLUMNS.items():
            values = np.broadcast_to(np.asarray(block[name], dtype), (len(patches), *shape))
            self._waiting[name].append(values)
        self._held += len(patches)
        if self._held >= BUFFERED_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        total = self._written + self._held
        for name, blocks in self._waiting.items():
            column = self._file[name]
            column.resize(total, axis=0)
            column[self._written :] = np.concatenate(blocks)
            blocks.clear()
        self._written, self._held = total, 0

    def __len__(self) -> int:
        return self._written + self._held

    def __enter__(self) -> PatchWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._open.__exit__(kind, error, trace)
            return
        with self._open:
            self._flush()
            self._file.attrs["complete"] = True


def join_shards(parts: Sequence[str | Path], path: str | Path) -> int:
    """Join the shards of a split into one virtual file; the shards must stay where they are.

    Parameters
    ----------
    parts : shards, as `PatchWriter` made them from one list of images
    path : file to make; it refers to the shards by their path relative to it

    Returns
    -------
    number of patches

    Raises
    ------
    PatchStoreError
        If a shard is damaged, they do not belong together, or they hold no patch at all.
    """
    path = Path(path)
    described = [check_patch_file(part) for part in parts]
    shared = ("images", "parameters")
    if any(d[key] != described[0][key] for d in described for key in shared):
        raise PatchStoreError(f"{path}: shards of different runs; delete {Path(parts[0]).parent} and run again")
    counts = [d["patches"] for d in described]
    if not sum(counts):
        raise PatchStoreError(
            f"{path}: no photograph of this split has a patch that is sharp enough; "
            "add sharp photographs or lower patches.min_sharpness"
        )
    with atomic.replacing(path) as part_name, h5py.File(part_name, "w", libver="latest") as file:
        for name, (shape, dtype) in COLUMNS.items():
            layout = h5py.VirtualLayout((sum(counts), *shape), dtype)
            layout.dcpl.set_obj_track_times(False)  # else the time of day is part of the file
            starts = np.cumsum([0, *counts])
            for part, start, count in zip(parts, starts, counts, strict=False):
                if count:
                    near = os.path.relpath(part, path.parent)
                    layout[start : start + count] = h5py.VirtualSource(near, name, (count, *shape), dtype)
            file.create_virtual_dataset(name, layout)
        file.create_dataset("images", data=json.dumps(described[0]["images"]))
        file.attrs["format"] = FORMAT
        file.attrs["sigmas"] = described[0]["sigmas"]
        file.attrs["parameters"] = json.dumps(described[0]["parameters"], sort_keys=True)
        file.attrs["shards"] = [file_digest(Path(part)) for part in parts]  # other patches are other bytes here too
        file.attrs["complete"] = True
    return sum(counts)


def check_patch_file(path: str | Path) -> dict:
    """Check that a patch file is whole, and say what is in it.

    Returns
    -------
    dict with `patches` (count), `levels` (count), `images` (names), `sigmas` ((levels,)
    float32) and `parameters`

    Raises
    ------
    PatchStoreError
        If the file cannot be read, was cut off, or its columns do not agree.
    """
    with _open_checked(path) as file:
        for part in _shard_files(file, Path(path)):
            check_patch_file(part)
        return {
            "patches": len(file["patches"]),
            "levels": len(file.attrs["sigmas"]),
            "images": json.loads(file["images"][()]),
            "sigmas": file.attrs["sigmas"],
            "parameters": json.loads(file.attrs["parameters"]),
        }


def read_patches(path: str | Path) -> dict[str, np.ndarray]:
    """Read a whole patch file into memory.

    Returns
    -------
    dict of the columns (see `PatchWriter`) and `sigmas`

    Raises
    ------
    PatchStoreError
        As `check_patch_file`.
    """
    described = check_patch_file(path)
    with _open_checked(path) as file:
        columns = {name: file[name][:] for name in COLUMNS}
    for name, count in (("level", described["levels"]), ("image", len(described["images"]))):
        values = columns[name]
        if len(values) and not 0 <= values.min() <= values.max() < count:
            raise PatchStoreError(f"{path}: {name} {values.max()} of {count}; delete it and run again")
    return {**columns, "sigmas": described["sigmas"]}


def _shard_files(file: h5py.File, path: Path) -> list[Path]:
    """Return the shards behind a virtual file; a missing one would silently read as zeros."""
    if not file["patches"].is_virtual:
        return []
    return sorted({path.parent / s.file_name for name in COLUMNS for s in file[name].virtual_sources()})


@contextmanager
def _open_checked(path: str | Path) -> Iterator[h5py.File]:
    """Open a patch file, made sure to be complete, of the right columns, and to read no file elsewhere."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"no patch file {str(path)!r}")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT or not file.attrs["complete"]:
                raise PatchStoreError(f"{path}: not a complete {FORMAT} file; delete it and run again")
            missing = [n for n in (*COLUMNS, "images") if n not in file]
            if missing:
                raise PatchStoreError(f"{path}: lacks {', '.join(missing)}; delete it and run again")
            _check_layout(file, Path(path))
            yield file
    except (PatchStoreError, FileNotFoundError):
        raise
    except Exception as error:  # HDF5 raises nearly anything on damaged files
        raise PatchStoreError(f"{path}: damaged or cut off ({error}); delete it and run again") from error


def _check_layout(file: h5py.File, path: Path) -> None:
    rows = file["patches"].shape[:1]
    for name in (*COLUMNS, "images"):
        column = file[name]
        if not isinstance(file.get(name, getlink=True), h5py.HardLink) or column.external:
            raise PatchStoreError(f"{path}: {name} lies in another file; this is no file of the workflow")
        if name == "images":
            continue
        shape, dtype = COLUMNS[name]
        if column.shape != (*rows, *shape) or column.dtype != dtype:
            raise PatchStoreError(
                f"{path}: {name} is {column.shape} {column.dtype}, not {(*rows, *shape)} {np.dtype(dtype)}; "
                "delete it and run again"
            )
        if column.is_virtual:
            inside = path.parent.resolve()
            for source in column.virtual_sources():
                if not (inside / source.file_name).resolve().is_relative_to(inside):
                    raise PatchStoreError(f"{path}: {name} reads {source.file_name!r}, outside of its folder")
        elif column.chunks != (CHUNK_ROWS, *shape) or column.id.get_num_chunks() * CHUNK_ROWS < len(column):
            raise PatchStoreError(f"{path}: {name} has fewer values than it claims; delete it and run again")
