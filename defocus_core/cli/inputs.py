"""Which pictures and stacks the arguments of a command name."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from defocus_core.io.errors import ImageError
from defocus_core.io.listing import READABLE_SUFFIXES, list_images
from defocus_core.io.pages import Page, group_pages, list_pages


class UsageError(ValueError):
    """Something in the command line that can be said in one line."""


Item = Path | Page  # a picture, or the slices of a channel


def chosen_places(options: Namespace) -> dict[str, int | None]:
    """Return the places of `list_pages` that a command was asked for."""
    return {axis: getattr(options, axis) for axis in ("channel", "z", "time")}


def expand_paths(paths: Sequence[Path], **chosen: int | None) -> list[Item]:
    """Return the pictures that paths name, folders by what lies in them; at least one, and none twice.

    Of a file of several channels or times each is a picture; `chosen` are the places of `list_pages`.
    """
    files = [file for path in paths for file in (list_images(path) if path.is_dir() else [path])]
    if not files:
        known = ", ".join(READABLE_SUFFIXES)
        raise UsageError(f"no images in {', '.join(map(str, paths))} (folders in it are not searched); known: {known}")
    (commonest, count), *_ = Counter(files).most_common(1)
    if count > 1:
        raise UsageError(f"{commonest} is given twice")
    return [item for file in files for item in _pictures_of(file, **chosen)]


def _pictures_of(file: Path, **chosen: int | None) -> list[Item]:
    """Return a file, or its pictures where each is of another channel or time."""
    try:
        pages = list_pages(file, **chosen)
    except (ImageError, OSError):
        if _is_chosen(chosen) and file.is_file():
            raise
        return [file]  # which fails where it is read, beside the others
    axes = {axis for page in pages for axis, _ in page.position if len({dict(p.position)[axis] for p in pages}) > 1}
    apart = len({page.stem for page in pages}) == len(pages)
    return list(pages) if apart and (_is_chosen(chosen) or (axes and axes <= {"C", "T"})) else [file]


def _is_chosen(chosen: Mapping[str, int | None]) -> bool:
    return any(place is not None for place in chosen.values())


def group_stacks(paths: Sequence[Path], **chosen: int | None) -> dict[Item, list[Item]]:
    """Return the shots of each stack that paths name: folders, files of several pictures, or one of files.

    Slices of several channels or times are a stack each, in one file or in files of a slice each; `chosen` are the
    places of `list_pages`.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise UsageError(f"no file or folder {missing[0]!r}")
    folders = [path for path in paths if path.is_dir()]
    if folders and len(folders) != len(paths):
        raise UsageError("a stack is a folder or the files given, not both at once")
    if folders:
        found = {folder: list_images(folder) for folder in folders}
        empty = [str(folder) for folder, files in found.items() if not files]
        if empty:
            raise UsageError(f"no pictures in {empty[0]!r}; each folder given is one stack of shots")
        across = [
            _stacks_across(folder, [(file, _pages_of(file, alone=False, **chosen)) for file in files], **chosen)
            for folder, files in found.items()
        ]
        return {stack: shots for stacks in across for stack, shots in stacks.items()}
    pages = {path: _pages_of(path, alone=len(paths) == 1, **chosen) for path in paths}
    several = {path: any(len(slices) > 1 for slices in group_pages(shots).values()) for path, shots in pages.items()}
    if not all(several.values()) and (len(paths) > 1 or len(pages[paths[0]]) == 1):
        return _stacks_across(paths[0], [(path, pages[path]) for path in paths], **chosen)
    return {
        stack: slices for path, shots in pages.items() for stack, slices in _stacks_in(path, shots, **chosen).items()
    }


def _stacks_in(path: Path, pages: Sequence[Page], **chosen: int | None) -> dict[Item, list[Item]]:
    """Return the stacks of a file of several pictures: one, or one for each channel and time."""
    groups = group_pages(pages)
    counts = {len(slices) for slices in groups.values()}
    if max(counts) == 1:
        raise UsageError(
            f"{path}: {len(pages)} channels of one slice each; a stack is of two slices or more of a channel"
        )
    if min(counts) == 1:
        raise UsageError(f"{path}: a channel or time has one slice alone; choose another by --channel or --time")
    apart = len(groups) > 1 or _is_chosen(chosen)
    return {stack if apart else path: list(slices) for stack, slices in groups.items()}


def _stacks_across(
    stack: Path, files: Sequence[tuple[Path, Sequence[Page]]], **chosen: int | None
) -> dict[Item, list[Item]]:
    """Return the stacks of files of a slice each, given beside their pages: one, or one for each channel and time."""
    groups = [{group.position: slices for group, slices in group_pages(held).items()} for _, held in files]
    alike = all(found.keys() == groups[0].keys() for found in groups)
    apart = len(groups[0]) > 1 or (_is_chosen(chosen) and () not in groups[0])
    if alike and apart and all(len(slices) == 1 for found in groups for slices in found.values()):
        return {Page(stack, -1, place): [found[place][0] for found in groups] for place in groups[0]}
    return {stack: [held[0] if len(held) == 1 and held[0].position else file for file, held in files]}


def _pages_of(path: Path, *, alone: bool, **chosen: int | None) -> list[Page]:
    """Return the pictures of a file; of one that cannot be read, beside others, the file, which fails where it is."""
    try:
        return list_pages(path, **chosen)
    except ImageError:
        if alone or _is_chosen(chosen):
            raise
        return [Page(path, 0)]


def file_of_shot(shot: Item) -> Path:
    """Return the file that a shot lies in."""
    return shot.path if isinstance(shot, Page) else shot
