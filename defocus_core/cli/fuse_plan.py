"""What the `fuse` command is asked for: its stacks, what is written of each, and what does not go together."""

from __future__ import annotations

import itertools
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from defocus_core.cli import inputs, outputs
from defocus_core.cli.inputs import Item, UsageError
from defocus_core.io.video import FILM_SUFFIXES

if TYPE_CHECKING:
    from defocus_core.applications.fusion.stack import AlignedStack

SIDE_SUFFIXES = {
    "labels": (".png",),
    "depth": (".npy", ".tif", ".tiff"),
    "nowhere": (".png",),
    "report": (".html",),
    "alignment": (".json",),
}
OF_FUSION = ("labels", "depth", "nowhere", "report")  # options that only a fusion fills


@dataclass(frozen=True)
class FusionJob:
    """One stack: its shots in order, and where what is written of it goes."""

    stack: Item
    shots: list[Item]
    out: Path | None
    slabs: tuple[Path, ...]
    aligned: tuple[Path, ...]
    sides: dict[str, Path]
    reference: int
    alignment: AlignedStack | None

    @property
    def pictures(self) -> tuple[Path, ...]:
        """Where fused pictures go: that of the stack, or of each of its slabs."""
        return self.slabs or ((self.out,) if self.out else ())

    @property
    def written(self) -> list[Path]:
        """All files that are written of the stack."""
        sides = [path for name, path in self.sides.items() if name != "alignment" or not path.exists()]
        depth = [confidence_path(self.sides["depth"])] if "depth" in self.sides else []
        return [*self.pictures, *self.aligned, *sides, *depth]

    @property
    def like(self) -> Path | None:
        """The file whose metadata are kept, the reference's; a film has none."""
        return file_like(self.shots[self.reference])


def plan_fusions(options: Namespace) -> list[FusionJob]:
    """Find the stacks and where their results go; refuse what does not fit together."""
    _check_options(options)
    grouped = inputs.group_stacks(options.images, **inputs.chosen_places(options))
    stacks = {stack: shots[:: options.every] for stack, shots in grouped.items()}
    taken = [inputs.file_of_shot(shot) for shots in stacks.values() for shot in shots]
    taken += [options.use_labels] if options.use_labels else []
    pictures = (
        outputs.fusion_targets(stacks, options.out, [] if options.slab is not None else taken) if options.out else {}
    )
    slabs = {}
    if options.slab is not None:
        counts = {stack: len(split_shots(shots, options)) for stack, shots in stacks.items()}
        slabs, pictures = outputs.slab_targets(pictures, counts, taken), {}
    taken += [*pictures.values(), *itertools.chain(*slabs.values())]
    aligned = outputs.aligned_targets(stacks, options.align_only, taken) if options.align_only else {}
    taken += itertools.chain(*aligned.values())
    sides = _plan_sides(stacks, options, taken)
    held = {
        stack: _load_alignment(sides["alignment"].get(stack), shots, register=options.register)
        for stack, shots in stacks.items()
    }
    return [
        FusionJob(
            stack,
            shots,
            pictures.get(stack),
            slabs.get(stack, ()),
            aligned.get(stack, ()),
            {name: found[stack] for name, found in sides.items() if stack in found},
            _reference(options.reference, shots, held[stack], sides["alignment"].get(stack)),
            held[stack],
        )
        for stack, shots in stacks.items()
    ]


def _plan_sides(stacks: dict[Item, list[Item]], options: Namespace, taken: list[Path]) -> dict[str, dict[Item, Path]]:
    """Return where what else is written of each stack goes, by its option, and none of it over what is taken."""
    sides: dict[str, dict[Item, Path]] = {}
    for name, suffixes in SIDE_SUFFIXES.items():
        sides[name] = outputs.side_targets(stacks, getattr(options, name), suffixes, taken, option=f"--{name}")
        taken = [*taken, *sides[name].values()]
    confidence = {stack: confidence_path(path) for stack, path in sides["depth"].items()}
    outputs.check_distinct([*sides["depth"].items(), *confidence.items()])
    outputs.refuse_overwriting(taken, confidence.values(), option="--depth")
    missing = [path for path in sides["alignment"].values() if options.use_labels and not path.exists()]
    if missing:
        raise UsageError(f"no alignment {str(missing[0])!r}; --use-labels takes one that --alignment wrote before")
    return sides


def _check_options(options: Namespace) -> None:
    """Refuse options that do not go together."""
    given = _given(options, OF_FUSION)
    needy = [*given, *_given(options, ("slab", "use_labels", "seam", "prefer", "resume"))]
    if options.out is None and (needy or options.align_only is None):
        raise UsageError(f"{needy[0]} needs --out" if needy else "fuse needs --out FILE_OR_DIR, or --align-only DIR")
    if options.overlap and options.slab is None:
        raise UsageError("--overlap goes with --slab")
    if options.slab is not None and (given or options.use_labels):
        raise UsageError("--slab writes pictures alone: leave out --labels, --use-labels, --depth, --nowhere, --report")
    if options.slab is not None and options.resume:
        raise UsageError("--slab keeps no state: leave out --resume")
    given += _given(options, ("align_only", "register", "match_exposure", "prefer", "strict", "resume"))
    if options.use_labels and given:
        raise UsageError(f"--use-labels decides and aligns nothing anew: leave out {given[0]}")
    if options.every < 1:
        raise UsageError(f"--every takes each Nth shot, N from 1, not {options.every}")


def _given(options: Namespace, names: Sequence[str]) -> list[str]:
    """Return which options are given, as they are typed; a 0 is, and a switch that is off is not."""
    values = {name: getattr(options, name) for name in names}
    return [f"--{name.replace('_', '-')}" for name, value in values.items() if value is not None and value is not False]


def split_shots(shots: Sequence[Item], options: Namespace) -> list[range]:
    """Return which shots each slab has."""
    from defocus_core.applications.fusion.slabs import split_slabs

    return split_slabs(len(shots), size=options.slab, overlap=options.overlap)


def _load_alignment(path: Path | None, shots: Sequence[Item], *, register: bool) -> AlignedStack | None:
    """Return the alignment that a file holds, without its gains, which are of another lighting."""
    if path is None or not path.exists():
        return None
    from defocus_core.applications.fusion.alignment_files import read_alignment

    held = read_alignment(path, names=[name_of_shot(shot) for shot in shots])
    if register and all(found is None or found.matrix is None for found in held.alignments):
        raise UsageError(
            f"{path}: its shots were not registered, so --register has nothing to go by; give --alignment a new file"
        )
    return replace(held, alignments=tuple(found and replace(found, gains=None) for found in held.alignments))


def _reference(given: str | None, shots: Sequence[Item], held: AlignedStack | None, path: Path | None) -> int:
    """Return the index of the shot that others are aligned to: the one asked for, an alignment's, or the first."""
    if given is None:
        return held.reference if held else 0
    asked = _place(given, shots)
    if held and asked != held.reference:
        raise UsageError(
            f"{path}: its shots are aligned to shot {held.reference + 1}, not to shot {asked + 1} as --reference says; "
            "leave --reference out, or give --alignment a new file"
        )
    return asked


def _place(given: str, shots: Sequence[Item]) -> int:
    """Return the index of a shot, named by a number from 1, a place or a file's name."""
    places = {"first": 0, "middle": len(shots) // 2, "last": len(shots) - 1}
    if given in places:
        return places[given]
    if given.isdecimal() and 1 <= int(given) <= len(shots):
        return int(given) - 1
    named = [index for index, shot in enumerate(shots) if given in (str(shot), inputs.file_of_shot(shot).name)]
    if len(named) != 1:
        known = f"a number from 1 to {len(shots)}, first, middle, last, or the name of a shot"
        raise UsageError(f"--reference is {known}, not {given!r}")
    return named[0]


def print_plan(job: FusionJob) -> None:
    """Print what would be read, in which order, and what would be written."""
    print(f"{job.stack}: {len(job.shots)} shots -> {', '.join(map(str, job.written))}")
    for index, shot in enumerate(job.shots):
        print(f"  {index + 1} {shot}{' (reference)' if index == job.reference else ''}")


def file_like(shot: Item) -> Path | None:
    """Return the file whose metadata a shot has; None of a film."""
    return None if shot.suffix.lower() in FILM_SUFFIXES else inputs.file_of_shot(shot)


def name_of_shot(shot: Item) -> str:
    """Return the name of a shot's file, with the page if it holds several."""
    file = inputs.file_of_shot(shot)
    return file.name + str(shot).removeprefix(str(file))


def confidence_path(depth: Path) -> Path:
    """Return where the confidence of a depth goes, beside it."""
    return depth.with_suffix(f".confidence{depth.suffix}")
