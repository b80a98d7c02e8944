"""Where the results of a command go: known, and refused where something would be lost, before any work."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from defocus_core.cli.inputs import Item, UsageError, file_of_shot
from defocus_core.io.listing import RAW_SUFFIXES, WRITABLE_SUFFIXES
from defocus_core.io.pages import Page
from defocus_core.io.video import FILM_SUFFIXES
from defocus_core.io.write import check_suffix


def fusion_targets(stacks: dict[Item, list[Item]], out: Path, taken: Sequence[Path]) -> dict[Item, Path]:
    """Return where each stack's picture goes."""
    return output_targets(
        list(stacks), out, lambda stack: _stack_name(stack) + writable(file_of_shot(stacks[stack][0])), taken
    )


def side_targets(
    stacks: dict[Item, list[Item]], given: Path | None, suffixes: Sequence[str], taken: Sequence[Path], *, option: str
) -> dict[Item, Path]:
    """Return where something else of each stack goes, a file or a folder, in one of a few formats; never over shots."""
    if given is None:
        return {}
    if _is_file(given, count=len(stacks), suffixes=suffixes):
        if given.suffix.lower() not in suffixes:
            raise UsageError(f"{option} is written as {' or '.join(suffixes)}, not {given.suffix!r}")
        found = dict.fromkeys(stacks, given)
    else:
        found = one_file_each(list(stacks), given, lambda stack: _stack_name(stack) + suffixes[0])
    refuse_overwriting(taken, found.values(), option=option)
    return found


def slab_targets(
    pictures: dict[Item, Path], counts: dict[Item, int], taken: Sequence[Path]
) -> dict[Item, tuple[Path, ...]]:
    """Return where the slabs of each stack go, beside where its picture would go: NAME.slab01.SUFFIX."""
    found = {
        stack: tuple(picture.with_suffix(f".slab{index:02d}{picture.suffix}") for index in range(1, counts[stack] + 1))
        for stack, picture in pictures.items()
    }
    check_distinct((stack, target) for stack, targets in found.items() for target in targets)
    refuse_overwriting(taken, itertools.chain(*found.values()))
    return found


def aligned_targets(
    stacks: dict[Item, list[Item]], folder: Path, taken: Sequence[Path]
) -> dict[Item, tuple[Path, ...]]:
    """Return where each aligned shot of each stack goes: by its own name, those of one file by their place too."""

    def name(place: int, shot: Item) -> str:
        number = f".{place:03d}" if isinstance(shot, Page) else ""
        return f"{shot.stem}{number}{writable(shot)}"

    found = {stack: tuple(folder / name(*shot) for shot in enumerate(shots, 1)) for stack, shots in stacks.items()}
    check_distinct(pair for stack, shots in stacks.items() for pair in zip(shots, found[stack], strict=True))
    refuse_overwriting(taken, itertools.chain(*found.values()), option="--align-only")
    return found


def _stack_name(stack: Item) -> str:
    path, labels = (stack.path, stack.labels) if isinstance(stack, Page) else (stack, ())
    return ".".join([path.resolve().name if path.is_dir() else path.stem, *labels])


def writable(item: Item) -> str:
    """Return the suffix of what is written of a picture: its own; of RAW that of TIFF, of a film that of PNG."""
    own = item.suffix.lower()
    return ".tif" if own in RAW_SUFFIXES else ".png" if own in FILM_SUFFIXES else item.suffix


def output_targets(
    items: Sequence[Item], out: Path, name: Callable[[Item], str], taken: Sequence[Path]
) -> dict[Item, Path]:
    """Return where the result of each item goes, the file or the folder `out`; never over what is taken."""
    if _is_file(out, count=len(items), suffixes=WRITABLE_SUFFIXES):
        found = dict.fromkeys(items, out)
    else:
        found = one_file_each(items, out, name)
    for target in found.values():
        check_suffix(target)
    refuse_overwriting(taken, found.values())
    return found


def _is_file(out: Path, *, count: int, suffixes: Sequence[str]) -> bool:
    """Say whether results go into one file: several in a format do not fit, but a folder's name may have a dot."""
    if not out.suffix or out.is_dir() or (count > 1 and out.suffix.lower() not in suffixes):
        return False
    if count > 1:
        raise UsageError(f"{count} results do not fit into one file {str(out)!r}; give a folder")
    return True


def refuse_overwriting(taken: Iterable[Path], written: Iterable[Path], *, option: str = "--out") -> None:
    """Refuse to write over what is taken."""
    places = {os.path.realpath(path) for path in taken}  # Path.resolve ends in an error where links lead in a circle
    for target in written:
        if os.path.realpath(target) in places:
            raise UsageError(f"{target} would be written over an input or another result; change {option}")


def one_file_each(items: Sequence[Item], folder: Path, name: Callable[[Item], str]) -> dict[Item, Path]:
    """Return a file of a folder for each item; two items may not share one."""
    targets = {item: folder / name(item) for item in items}
    check_distinct(targets.items())
    return targets


def check_distinct(written: Iterable[tuple[Item, Path]]) -> None:
    """Refuse two items, each beside a file that is written of it, that would share one."""
    items_of: dict[Path, Item] = {}
    for item, target in written:
        other = items_of.setdefault(target, item)
        if other != item:
            raise UsageError(f"{other} and {item} would share {target}; give each a folder of its own")


def make_folders(written: Iterable[Path]) -> None:
    """Make the folders of files before any work is done for them."""
    for folder in {path.parent for path in written}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the folder {str(folder)!r}: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise UsageError(f"cannot write to the folder {str(folder)!r}")


def maps_by_stem(items: Sequence[Item], folder: Path) -> dict[Item, Path]:
    """Return the `.npy` file of a folder that goes with each picture."""
    return one_file_each(items, folder, lambda item: f"{item.stem}.npy")


def map_targets(
    items: Sequence[Item], folder: Path, suffixes: Sequence[str], *, given: Sequence[Path]
) -> dict[Item, Path]:
    """Return where the map of each picture goes, with room beside it for files of its stem, none an item.

    Not into a folder that is `given` to be worked on, where pictures of maps would be photographs the next time.
    """
    if any(path.is_dir() and os.path.realpath(path) == os.path.realpath(folder) for path in given):
        raise UsageError(
            f"{folder} holds the photographs, and pictures of maps would count as such; give another --out"
        )
    found = maps_by_stem(items, folder)
    check_distinct((item, found[item].with_suffix(suffix)) for item in items for suffix in (".npy", *suffixes))
    for item, target in found.items():
        for picture in (target.with_suffix(suffix) for suffix in suffixes):
            if picture.exists() and picture.parent.resolve() == file_of_shot(item).parent.resolve():
                raise UsageError(f"{picture} is there already, beside {item}; give --out another folder")
    refuse_overwriting(
        map(file_of_shot, items), (target.with_suffix(suffix) for target in found.values() for suffix in suffixes)
    )
    return found
