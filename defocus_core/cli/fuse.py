"""The `fuse` command: stacks of shots, and all that may be written of one."""

from __future__ import annotations

import itertools
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from defocus_core import __version__
from defocus_core.cli import outputs
from defocus_core.cli.outputs import Item, UsageError
from defocus_core.io.map_files import write_map
from defocus_core.io.read import read, read_photograph
from defocus_core.io.video import FILM_SUFFIXES
from defocus_core.io.write import check_suffix, write

if TYPE_CHECKING:
    from defocus_core.applications.fusion.align import Alignment
    from defocus_core.applications.fusion.stack import AlignedStack, Fusion

SIDE_SUFFIXES = {
    "labels": (".png",),
    "depth": (".npy", ".tif", ".tiff"),
    "nowhere": (".png",),
    "report": (".html",),
    "alignment": (".json",),
}

EIGHT_BIT_SUFFIXES = (".jpg", ".jpeg", ".webp", ".bmp")
OF_FUSION = ("labels", "depth", "nowhere", "report")  # options that only a fusion fills


@dataclass(frozen=True)
class _Job:
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
    def written(self) -> list[Path]:
        """All files that are written of the stack."""
        pictures = self.slabs or ((self.out,) if self.out else ())
        sides = [path for name, path in self.sides.items() if name != "alignment" or not path.exists()]
        depth = [_confidence_path(self.sides["depth"])] if "depth" in self.sides else []
        return [*pictures, *self.aligned, *sides, *depth]

    @property
    def like(self) -> Path | None:
        """The file whose metadata are kept, the reference's; a film has none."""
        return _like(self.shots[self.reference])


def run_fuse(options: Namespace) -> None:
    """Write what every stack of shots is fused into, and what else is asked for."""
    from defocus_core.cli.commands import run_each_item

    jobs = {job.stack: job for job in _plan(options)}
    if options.dry_run:
        for job in jobs.values():
            _print_plan(job)
        return
    from defocus_core.applications.fusion.decide import FusionConfig
    from defocus_core.networks.storage import load_model

    config, model = FusionConfig(seam_sigma=options.seam), load_model(options.model)
    outputs.make_folders(path for job in jobs.values() for path in job.written)
    with _shot_progress(sum(len(job.shots) for job in jobs.values())) as advance:

        def one(stack: Item) -> None:
            _run(jobs[stack], options, {"config": config, "model": model, "progress": advance})

        run_each_item(list(jobs), "fused", one, jobs=options.jobs, shown=False)


def _plan(options: Namespace) -> list[_Job]:
    """Find the stacks and where their results go; refuse what does not fit together."""
    _check_options(options)
    chosen = {axis: getattr(options, axis) for axis in ("channel", "z", "time")}
    stacks = {stack: shots[:: options.every] for stack, shots in outputs.group_stacks(options.images, **chosen).items()}
    taken = [outputs.file_of_shot(shot) for shots in stacks.values() for shot in shots]
    taken += [options.use_labels] if options.use_labels else []
    pictures = outputs.fusion_targets(stacks, options.out, [] if options.slab else taken) if options.out else {}
    slabs = {}
    if options.slab:
        counts = {stack: len(_split(shots, options)) for stack, shots in stacks.items()}
        slabs, pictures = outputs.slab_targets(pictures, counts, taken), {}
    taken += [*pictures.values(), *itertools.chain(*slabs.values())]
    aligned = outputs.aligned_targets(stacks, options.align_only, taken) if options.align_only else {}
    taken += itertools.chain(*aligned.values())
    sides = _plan_sides(stacks, options, taken)
    held = {stack: _load_alignment(sides["alignment"].get(stack), shots) for stack, shots in stacks.items()}
    return [
        _Job(
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
    confidence = {stack: _confidence_path(path) for stack, path in sides["depth"].items()}
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
    if options.overlap and not options.slab:
        raise UsageError("--overlap goes with --slab")
    if options.slab and (given or options.use_labels):
        raise UsageError("--slab writes pictures alone: leave out --labels, --use-labels, --depth, --nowhere, --report")
    if options.slab and options.resume:
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


def _split(shots: Sequence[Item], options: Namespace) -> list[range]:
    from defocus_core.applications.fusion.slabs import split_slabs

    return split_slabs(len(shots), size=options.slab, overlap=options.overlap)


def _load_alignment(path: Path | None, shots: Sequence[Item]) -> AlignedStack | None:
    """Return the alignment that a file holds, without its gains, which are of another lighting."""
    if path is None or not path.exists():
        return None
    from defocus_core.applications.fusion.alignment_files import read_alignment

    held = read_alignment(path, names=[_name(shot) for shot in shots])
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
    named = [index for index, shot in enumerate(shots) if given in (str(shot), outputs.file_of_shot(shot).name)]
    if len(named) != 1:
        known = f"a number from 1 to {len(shots)}, first, middle, last, or the name of a shot"
        raise UsageError(f"--reference is {known}, not {given!r}")
    return named[0]


def _print_plan(job: _Job) -> None:
    print(f"{job.stack}: {len(job.shots)} shots -> {', '.join(map(str, job.written))}")
    for index, shot in enumerate(job.shots):
        print(f"  {index + 1} {shot}{' (reference)' if index == job.reference else ''}")


def _run(job: _Job, options: Namespace, how: dict[str, Any]) -> None:
    if job.out and job.shots[job.reference].suffix.lower() not in EIGHT_BIT_SUFFIXES:
        check_suffix(job.out, read(job.shots[job.reference]).dtype)
    crop = options.register if options.crop is None else options.crop
    loaded = job.alignment
    if loaded:
        _check_size(job, loaded)
    common = {"match_exposure": options.match_exposure, "strict": options.strict, "crop": crop}
    if options.use_labels:
        _apply_labels(job, options, loaded, crop=crop)
        return
    if loaded and not options.strict:
        _tell_left_out(job, loaded)
    if job.aligned or job.slabs:
        aligned = loaded or _align(job, options, how, common)
        if job.aligned:
            _write_aligned(job, aligned, crop=crop)
        if job.slabs:
            _write_slabs(job, aligned, options, how, crop=crop)
        if not loaded:  # the alignments have the gains that were asked for
            loaded, common = aligned, common | {"match_exposure": False}
    if job.out:
        _write_fusion(job, _fuse(job, options, how, common, loaded))


def _check_size(job: _Job, loaded: AlignedStack) -> None:
    """Refuse an alignment that was made for shots of another size."""
    shot = job.shots[job.reference]
    (height, width), (own_height, own_width) = loaded.shape, _shape(shot)
    if (height, width) != (own_height, own_width):
        raise UsageError(
            f"{job.sides['alignment']}: the alignment is of shots of {width}x{height} pixels, and {shot} has "
            f"{own_width}x{own_height}; give shots of its size, or give --alignment a new file"
        )


def _tell_left_out(job: _Job, loaded: AlignedStack) -> None:
    """Warn of each shot that a file's alignment leaves out."""
    for index, (shot, found) in enumerate(zip(job.shots, loaded.alignments, strict=True)):
        if found is None:
            warnings.warn(f"shot {index + 1} is left out: the alignment leaves it out ({shot})", stacklevel=2)


def _fuse(
    job: _Job, options: Namespace, how: dict[str, Any], common: dict[str, Any], loaded: AlignedStack | None
) -> Fusion:
    from defocus_core.applications.fusion.stack import AlignedStack, fuse

    assert job.out is not None
    fusion = fuse(
        job.shots,
        register=options.register,
        reference=job.reference,
        alignments=loaded.alignments if loaded else None,
        prefer=options.prefer,
        checkpoint=job.out.with_name(f".{job.out.name}.resume.npz") if options.resume else None,
        **how,
        **common,
    )
    if "alignment" in job.sides and loaded is None:
        shape = read(job.shots[job.reference]).shape
        stack = AlignedStack(fusion.alignments, fusion.frame, (shape[0], shape[1]), job.reference)
        _save_alignment(job, stack)
    return fusion


def _align(job: _Job, options: Namespace, how: dict[str, Any], common: dict[str, Any]) -> AlignedStack:
    from defocus_core.applications.fusion.stack import align_stack

    aligned = align_stack(
        job.shots, register=options.register, reference=job.reference, progress=how["progress"], **common
    )
    if "alignment" in job.sides:
        _save_alignment(job, aligned)
    return aligned


def _save_alignment(job: _Job, aligned: AlignedStack) -> None:
    from defocus_core.applications.fusion.alignment_files import write_alignment

    write_alignment(job.sides["alignment"], aligned, names=[_name(shot) for shot in job.shots])


def _like(shot: Item) -> Path | None:
    return None if shot.suffix.lower() in FILM_SUFFIXES else outputs.file_of_shot(shot)


def _name(shot: Item) -> str:
    file = outputs.file_of_shot(shot)
    return file.name + str(shot).removeprefix(str(file))


def _write_fusion(job: _Job, fusion: Fusion) -> None:
    assert job.out is not None
    write(job.out, fusion.image, like=job.like, alpha=fusion.alpha, keep_float=True)
    for name, path in job.sides.items():
        if name == "labels":
            write(path, fusion.labels)
        elif name == "depth":
            notes = {"software": f"defocus-core {__version__}"}
            for values, quantity, target in (
                (fusion.depth, "place in the stack, from 0", path),
                (fusion.confidence, "confidence of the depth", _confidence_path(path)),
            ):
                write_map(target, values, unit="shots", pixel_size=None, notes=notes | {"quantity": quantity})
        elif name == "nowhere":
            write(path, fusion.nowhere.astype(np.uint8) * np.uint8(255))
        elif name == "report":
            from defocus_core.evaluation.fusion_report import write_report

            write_report(path, fusion, names=[_name(shot) for shot in job.shots])


def _confidence_path(depth: Path) -> Path:
    return depth.with_suffix(f".confidence{depth.suffix}")


def _apply_labels(job: _Job, options: Namespace, loaded: AlignedStack | None, *, crop: bool) -> None:
    from defocus_core.applications.fusion.blend import as_alpha
    from defocus_core.applications.fusion.stack import apply_labels

    assert job.out is not None
    labels = read(options.use_labels)
    given = loaded.alignments if loaded else None
    if loaded and labels.ndim == 2 and labels.shape != loaded.shape:
        cropped, labels, crop = labels, np.zeros(loaded.shape, labels.dtype), True
        if loaded.frame.crop(labels).shape != cropped.shape:
            raise UsageError(f"{options.use_labels}: labels of {cropped.shape} do not fit the alignment's frame")
        frame = loaded.frame
        labels[frame.top : frame.bottom, frame.left : frame.right] = cropped
    image, shown = apply_labels(job.shots, labels, alignments=given, reference=job.reference, seam=options.seam or 0)
    alpha = None if shown is None else as_alpha(shown, image.dtype)
    if loaded and crop:
        image, alpha = loaded.frame.crop(image), None if alpha is None else loaded.frame.crop(alpha)
    write(job.out, image, like=job.like, alpha=alpha, keep_float=True)


def _shape(shot: Item) -> tuple[int, int]:
    height, width = read(shot).shape[:2]
    return height, width


def _write_aligned(job: _Job, aligned: AlignedStack, *, crop: bool) -> None:
    for shot, found, target in zip(job.shots, aligned.alignments, job.aligned, strict=True):
        if found is not None:
            pixels, alpha = _align_one(shot, found, aligned, crop=crop)
            write(target, pixels, like=_like(shot), alpha=alpha, keep_float=True)


def _align_one(
    shot: Item, found: Alignment, aligned: AlignedStack, *, crop: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return an aligned shot, and its alpha channel if it shows nothing somewhere."""
    from defocus_core.applications.fusion.blend import as_alpha, find_shown

    photograph = read_photograph(shot)
    pixels = found.apply(photograph.filled, aligned.shape)
    shown = find_shown(photograph, found, aligned.shape)
    alpha = None
    if (not crop and not shown.all()) or photograph.alpha is not None:
        alpha = aligned.frame.crop(as_alpha(shown, pixels.dtype))
    return aligned.frame.crop(pixels), alpha


def _write_slabs(job: _Job, aligned: AlignedStack, options: Namespace, how: dict[str, Any], *, crop: bool) -> None:
    for slab, target in zip(_split(job.shots, options), job.slabs, strict=True):
        kept = {index: found for index in slab if (found := aligned.alignments[index])}
        if not kept:
            raise ValueError(f"no shot of slab {target.name} goes with the others")
        shots = [job.shots[index] for index in kept]
        if len(shots) == 1:
            image, alpha = _align_one(shots[0], next(iter(kept.values())), aligned, crop=crop)
        else:
            image, alpha = _fuse_slab(shots, [*kept.values()], aligned, options, how, crop=crop)
        write(target, image, like=job.like, alpha=alpha, keep_float=True)


def _fuse_slab(
    shots: Sequence[Item],
    alignments: Sequence[Alignment],
    aligned: AlignedStack,
    options: Namespace,
    how: dict[str, Any],
    *,
    crop: bool,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return neighbouring shots of a stack fused, and the alpha channel of that."""
    from defocus_core.applications.fusion.stack import fuse

    fusion = fuse(
        shots,
        alignments=alignments,
        shape=aligned.shape,
        match_exposure=False,  # the alignments have the gains of the whole stack
        strict=options.strict,
        prefer=options.prefer,
        config=how["config"],
        model=how["model"],
    )
    if not crop:
        return fusion.image, fusion.alpha
    return aligned.frame.crop(fusion.image), None if fusion.alpha is None else aligned.frame.crop(fusion.alpha)


@contextmanager
def _shot_progress(total: int) -> Iterator[Callable[[int, int], None]]:
    """Show a bar that goes on by a shot at each call."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("shots", total=total)
        yield lambda _done, _all: bar.advance(task)
