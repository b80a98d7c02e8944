"""The `fuse` command: run what `fuse_plan` plans, and write it."""

from __future__ import annotations

import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from defocus_core import __version__
from defocus_core.cli import outputs
from defocus_core.cli.fuse_plan import (
    FusionJob,
    confidence_path,
    file_like,
    name_of_shot,
    plan_fusions,
    print_plan,
    split_shots,
)
from defocus_core.cli.inputs import Item, UsageError
from defocus_core.cli.run_items import run_each_item
from defocus_core.io.map_files import write_map
from defocus_core.io.read import read, read_photograph
from defocus_core.io.write import check_suffix, write

if TYPE_CHECKING:
    from defocus_core.applications.fusion.align import Alignment
    from defocus_core.applications.fusion.stack import AlignedStack, Fusion

EIGHT_BIT_SUFFIXES = (".jpg", ".jpeg", ".webp", ".bmp")


def run_fuse(options: Namespace) -> None:
    """Write what every stack of shots is fused into, and what else is asked for."""
    jobs = {job.stack: job for job in plan_fusions(options)}
    if options.dry_run:
        for job in jobs.values():
            print_plan(job)
        return
    from defocus_core.applications.fusion.decide import FusionConfig
    from defocus_core.networks.storage import load_model

    config, model = FusionConfig(seam_sigma=options.seam), load_model(options.model)
    outputs.make_folders(path for job in jobs.values() for path in job.written)
    with _shot_progress(sum(_steps(job, options) for job in jobs.values())) as advance:

        def one(stack: Item) -> None:
            _run(jobs[stack], options, {"config": config, "model": model, "progress": _count_on(advance)})

        run_each_item(list(jobs), "fused", one, jobs=options.jobs, shown=False)


def _steps(job: FusionJob, options: Namespace) -> int:
    """Return what the bar of progress counts of a stack: its shots as often as they are gone through, and its slabs."""
    if options.use_labels:
        return 0
    aligned_before = bool(job.aligned or job.slabs)
    return len(job.shots) * (aligned_before + (job.out is not None)) + len(job.slabs)


def _run(job: FusionJob, options: Namespace, how: dict[str, Any]) -> None:
    if job.pictures and job.shots[job.reference].suffix.lower() not in EIGHT_BIT_SUFFIXES:
        check_suffix(job.pictures[0], read(job.shots[job.reference]).dtype)
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
        aligned = _align(job, options, how, common)
        if job.aligned:
            _write_aligned(job, aligned, crop=crop)
        if job.slabs:
            _write_slabs(job, aligned, options, how, crop=crop)
        loaded = aligned
        common["match_exposure"] = False  # the alignments have the gains that were asked for
    if job.out:
        _write_fusion(job, _fuse(job, options, how, common, loaded))


def _check_size(job: FusionJob, loaded: AlignedStack) -> None:
    """Refuse an alignment that was made for shots of another size."""
    shot = job.shots[job.reference]
    (height, width), (own_height, own_width) = loaded.shape, _shape(shot)
    if (height, width) != (own_height, own_width):
        raise UsageError(
            f"{job.sides['alignment']}: the alignment is of shots of {width}x{height} pixels, and {shot} has "
            f"{own_width}x{own_height}; give shots of its size, or give --alignment a new file"
        )


def _tell_left_out(job: FusionJob, loaded: AlignedStack) -> None:
    """Warn of each shot that a file's alignment leaves out."""
    for index, (shot, found) in enumerate(zip(job.shots, loaded.alignments, strict=True)):
        if found is None:
            warnings.warn(f"shot {index + 1} is left out: the alignment leaves it out ({shot})", stacklevel=2)


def _fuse(
    job: FusionJob, options: Namespace, how: dict[str, Any], common: dict[str, Any], loaded: AlignedStack | None
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
        shape = _shape(job.shots[job.reference])
        _save_alignment(job, AlignedStack(fusion.alignments, fusion.frame, shape, job.reference))
    return fusion


def _align(job: FusionJob, options: Namespace, how: dict[str, Any], common: dict[str, Any]) -> AlignedStack:
    from defocus_core.applications.fusion.stack import align_stack

    aligned = align_stack(
        job.shots,
        register=options.register,
        reference=job.reference,
        alignments=job.alignment.alignments if job.alignment else None,
        progress=how["progress"],
        **common,
    )
    if "alignment" in job.sides and not job.alignment:
        _save_alignment(job, aligned)
    return aligned


def _save_alignment(job: FusionJob, aligned: AlignedStack) -> None:
    from defocus_core.applications.fusion.alignment_files import write_alignment

    write_alignment(job.sides["alignment"], aligned, names=[name_of_shot(shot) for shot in job.shots])


def _write_fusion(job: FusionJob, fusion: Fusion) -> None:
    assert job.out is not None
    write(job.out, fusion.image, like=job.like, alpha=fusion.alpha, keep_float=True)
    for name, path in job.sides.items():
        if name == "labels":
            write(path, fusion.labels)
        elif name == "depth":
            notes = {"software": f"defocus-core {__version__}"}
            for values, quantity, target in (
                (fusion.depth, "place in the stack, from 0", path),
                (fusion.confidence, "confidence of the depth", confidence_path(path)),
            ):
                write_map(target, values, unit="shots", pixel_size=None, notes=notes | {"quantity": quantity})
        elif name == "nowhere":
            write(path, fusion.nowhere.astype(np.uint8) * np.uint8(255))
        elif name == "report":
            from defocus_core.evaluation.fusion_report import write_report

            write_report(path, fusion, names=[name_of_shot(shot) for shot in job.shots])


def _apply_labels(job: FusionJob, options: Namespace, loaded: AlignedStack | None, *, crop: bool) -> None:
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


def _write_aligned(job: FusionJob, aligned: AlignedStack, *, crop: bool) -> None:
    for shot, found, target in zip(job.shots, aligned.alignments, job.aligned, strict=True):
        if found is not None:
            pixels, alpha = _align_one(shot, found, aligned, crop=crop)
            write(target, pixels, like=file_like(shot), alpha=alpha, keep_float=True)


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


def _write_slabs(job: FusionJob, aligned: AlignedStack, options: Namespace, how: dict[str, Any], *, crop: bool) -> None:
    slabs = zip(split_shots(job.shots, options), job.slabs, strict=True)
    for done, (slab, target) in enumerate(slabs, 1):
        kept = {index: found for index in slab if (found := aligned.alignments[index])}
        if not kept:
            raise ValueError(f"no shot of slab {target.name} goes with the others")
        shots = [job.shots[index] for index in kept]
        if len(shots) == 1:
            image, alpha = _align_one(shots[0], next(iter(kept.values())), aligned, crop=crop)
        else:
            image, alpha = _fuse_slab(shots, [*kept.values()], aligned, options, how, crop=crop)
        write(target, image, like=job.like, alpha=alpha, keep_float=True)
        how["progress"](done, len(job.slabs))


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


def _count_on(advance: Callable[[int], None]) -> Callable[[int, int], None]:
    """Return a function of the steps done, and of all, that advances by those done since its last call.

    Fewer than there were then are of another pass.
    """
    last = 0

    def progress(done: int, _all: int) -> None:
        nonlocal last
        advance(done - last if done > last else done)
        last = done

    return progress


@contextmanager
def _shot_progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar that each call advances by some steps."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("shots", total=total)
        yield lambda steps: bar.advance(task, steps)
