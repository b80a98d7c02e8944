"""Benchmark sets on disk: photographs and their truths, stacks of shots."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from defocus_core.io.listing import list_images


@dataclass(frozen=True)
class ImagePair:
    """One photograph of a set and where its truth lies."""

    name: str
    image: Path
    truth: Path


class BenchmarkSetError(ValueError):
    """A benchmark set that is missing, or whose images and truths do not pair up."""


def pair_images(
    images_folder: str | Path,
    truth_folder: str | Path,
    *,
    first: int | None = None,
    last: int | None = None,
    replace: dict[str, str] | None = None,
) -> list[ImagePair]:
    """Pair the images of a folder with the truths of the same stem.

    Parameters
    ----------
    images_folder : photographs
    truth_folder : masks (image files) or sigma maps (`.npy`), named as the photographs; see `maps_by_stem`
    first, last : keep only this range of places in the sorted list, counted from 1, both ends in
    replace : where a truth is named otherwise: `image` in the photograph's stem is `truth` in its own

    Raises
    ------
    BenchmarkSetError
        If a folder is missing or empty, two photographs have one stem, or a photograph has no truth.
    """
    for folder in (images_folder, truth_folder):
        if not Path(folder).is_dir():
            raise BenchmarkSetError(f"no folder {str(folder)!r}; docs/data.md says where each set comes from")
    truths = maps_by_stem(truth_folder)
    chosen = list_images(images_folder)[(first or 1) - 1 : last]
    if not chosen:
        raise BenchmarkSetError(f"no images in {str(images_folder)!r} from {first or 1} to {last or 'the end'}")
    _check_unique_stems(chosen)
    names = {p: p.stem.replace(replace["image"], replace["truth"], 1) if replace else p.stem for p in chosen}
    missing = [p.name for p in chosen if names[p] not in truths]
    if missing:
        raise BenchmarkSetError(f"{truth_folder}: no truth for {len(missing)} images, such as {missing[0]}")
    return [ImagePair(p.stem, p, truths[names[p]]) for p in chosen]


def maps_by_stem(folder: str | Path) -> dict[str, Path]:
    """Return the maps or masks of a folder by stem: `.npy` files, and images where there is none.

    Raises
    ------
    BenchmarkSetError
        If two images have one stem.
    """
    pictures = list_images(folder)
    arrays = {path.stem: path for path in sorted(Path(folder).glob("*.npy"))}
    _check_unique_stems(path for path in pictures if path.stem not in arrays)
    return {path.stem: path for path in pictures} | arrays


def _check_unique_stems(files: Iterable[Path]) -> None:
    known: dict[str, Path] = {}
    for path in files:
        if path.stem in known:
            raise BenchmarkSetError(f"{path.parent}: {known[path.stem].name} and {path.name} have one stem; keep one")
        known[path.stem] = path


def shard_of(name: str, count: int) -> int:
    """Return which of `count` shards a photograph belongs to; a new photograph moves no other one."""
    return zlib.crc32(name.encode()) % count


def shard_pairs(members: list[ImagePair], count: int) -> list[list[ImagePair]]:
    """Return the pairs of each of `count` shards, see `shard_of`."""
    found: list[list[ImagePair]] = [[] for _ in range(count)]
    for pair in members:
        found[shard_of(pair.name, count)].append(pair)
    return found


def listed_pairs(files: Sequence[str | Path]) -> list[ImagePair]:
    """Return pairs of photographs and truths that are listed in turns: each photograph, then its truth."""
    images, truths = map(Path, files[::2]), map(Path, files[1::2])
    return [ImagePair(image.stem, image, truth) for image, truth in zip(images, truths, strict=True)]


def made_pairs(
    folder: str | Path, *, shard: int, shards: int, first: int | None = None, last: int | None = None
) -> list[ImagePair]:
    """Return the pairs of one shard of a set of `write_embedded_set`, parameters as of `pair_images`."""
    members = pair_images(Path(folder) / "images", Path(folder) / "sigma", first=first, last=last)
    return shard_pairs(members, shards)[shard]


@dataclass(frozen=True)
class Stack:
    """Shots of one scene: a name and two or more image files."""

    name: str
    shots: list[Path]


def list_stacks(folder: str | Path) -> list[Stack]:
    """Return the stacks of a folder: one subfolder each, its images in order of their names.

    Raises
    ------
    BenchmarkSetError
        If the folder is missing, or no subfolder holds two images.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BenchmarkSetError(f"no folder {str(folder)!r}; docs/data.md says where each set comes from")
    found = [Stack(p.name, list_images(p)) for p in sorted(folder.iterdir()) if p.is_dir()]
    found = [stack for stack in found if len(stack.shots) > 1]
    if not found:
        raise BenchmarkSetError(f"{folder}: no subfolder with two images or more")
    return found
