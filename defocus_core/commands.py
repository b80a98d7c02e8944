"""What each command of ``defocus`` does with its options."""

from __future__ import annotations

import dataclasses
import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from . import DEFAULT_MODEL, atomic, images, outputs

SAID = 5  # failures of a folder that are told


def run_map(options: Namespace) -> None:
    """Write STEM.npy and STEM.png of every image, and STEM.probability.npy where it is asked for."""
    from . import backbones, focus, maps, plots  # noqa: PLC0415

    files = outputs.expand(options.images)
    written = outputs.beside(files, options.out, (".png", *[".probability.npy"] * options.probability))
    model = backbones.load(options.model)

    def one(file: Path) -> None:
        sigma = maps.estimate(images.read(file), model=model, step=options.step, refine=options.refine)
        atomic.write_array(written[file], sigma)
        if options.probability:
            atomic.write_array(written[file].with_suffix(".probability.npy"), focus.in_focus(sigma))
        plots.save_map(sigma, written[file].with_suffix(".png"))

    _each(files, "maps", one, jobs=options.jobs)


def run_enhance(options: Namespace) -> None:
    """Write every image sharpened where it is slightly blurred."""
    from . import enhance  # noqa: PLC0415

    settings = enhance.Settings(gain=options.gain)
    _apply(options, "enhanced", lambda image, sigma: enhance.enhance(image, sigma, settings))


def run_magnify(options: Namespace) -> None:
    """Write every image with its defocus magnified."""
    from . import magnify  # noqa: PLC0415

    if options.published and options.strength is not None:
        raise outputs.UsageError("--published has no --strength: its equations blur by one amount")
    if not options.published and options.out_of_focus is not None:
        raise outputs.UsageError("--out-of-focus goes with --published")
    if options.published:
        given = {name: getattr(options, name) for name in ("in_focus", "out_of_focus")}
        settings = magnify.Settings(**{name: value for name, value in given.items() if value is not None})
        _apply(options, "magnified", lambda image, sigma: magnify.magnify(image, sigma, settings))
    else:
        factor = magnify.FACTOR if options.strength is None else options.strength
        kept = options.in_focus
        magnify.check_strength(factor, kept)
        _apply(
            options,
            "magnified",
            lambda image, sigma: magnify.widen(image, sigma, factor=factor, in_focus=kept),
        )


def run_fuse(options: Namespace) -> None:
    """Write what every stack of shots is fused into, and the shot of each pixel where it is asked for."""
    from . import backbones, fuse  # noqa: PLC0415

    stacks = outputs.stacks(options.images)
    written, labels = outputs.fused(stacks, options.out, options.labels)
    settings, model = fuse.Settings(seam=options.seam), backbones.load(options.model)

    def one(stack: Path) -> None:
        shots, first = stacks[stack], outputs.file_of(stacks[stack][0])
        images.check_suffix(written[stack], images.read(shots[0]).dtype)
        fusion = fuse.fuse(
            shots,
            model=model,
            settings=settings,
            register=options.register,
            match_exposure=options.match_exposure,
        )
        images.write(written[stack], fusion.image, like=first)
        if stack in labels:
            images.write(labels[stack], fusion.labels)

    _each(list(stacks), "fused", one, jobs=options.jobs)


def run_depth(options: Namespace) -> None:
    """Write STEM.near and STEM.far, or STEM.relative, of every image as .npy and .png."""
    from . import backbones, depth, plots  # noqa: PLC0415

    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(depth.Lens)}
    files = outputs.expand(options.images)
    kinds = [f".{name}{suffix}" for name in ("near", "far", "relative") for suffix in (".png", ".npy")]
    written = outputs.beside(files, options.out, kinds)
    model = backbones.load(options.model)

    def one(file: Path) -> None:
        image = images.read(file)
        lens = depth.lens(file, **given)
        sigma = _sigma(file, image, model, options.map)
        if lens is None:
            found = {"relative": depth.relative(sigma)}
            label = "|1/d - 1/focus|, share of the largest"
        else:
            found = dict(zip(("near", "far"), lens.distances(sigma), strict=True))
            label = "distance (m)"
        for name, values in found.items():
            atomic.write_array(written[file].with_suffix(f".{name}.npy"), values)
            plots.save_distances(values, written[file].with_suffix(f".{name}.png"), label=label)

    _each(files, "depth", one, jobs=options.jobs)


def run_export(options: Namespace) -> None:
    """Write a model as ONNX."""
    from . import backbones, export  # noqa: PLC0415

    export.to_onnx(backbones.load(options.model), options.file)


def run_models(_: Namespace) -> None:
    """Print the models that come with the package."""
    from . import backbones  # noqa: PLC0415

    for name in backbones.shipped():
        about = backbones.load(name, folded=False).describe()
        print(f"{name}{' (default)' if name == DEFAULT_MODEL else ''}: {about}")


def run_provenance(options: Namespace) -> None:
    """Print what made a result of the workflow."""
    from . import provenance  # noqa: PLC0415

    print(json.dumps(provenance.find(options.file), indent=1, sort_keys=True))


def _apply(options: Namespace, what: str, application: Callable) -> None:
    """Run an application of image and map on every image; write it as the image was."""
    from . import backbones  # noqa: PLC0415

    files = outputs.expand(options.images)
    written = outputs.targets(files, options.out, lambda file: file.name, files)
    if options.map and options.map.is_dir():
        outputs.by_stem(files, options.map)
    model = backbones.load(options.model)

    def one(file: Path) -> None:
        image = images.read(file)
        images.check_suffix(written[file], image.dtype)
        result = application(image, _sigma(file, image, model, options.map))
        images.write(written[file], images.as_depth(result, image.dtype), like=file)

    _each(files, what, one, jobs=options.jobs)


def _sigma(file: Path, image: np.ndarray, model, given: Path | None) -> np.ndarray:
    """Return the map of an image: the one given for it, or an estimate."""
    from . import maps  # noqa: PLC0415

    if given is None:
        return maps.estimate(image, model=model)
    path = given / f"{file.stem}.npy" if given.is_dir() else given
    sigma = maps.read(path)
    images.check_fit(sigma, image)
    return sigma


def _each(files: Sequence[Path], what: str, one: Callable[[Path], None], *, jobs: int | None) -> None:
    """Run every file, with progress; those that fail are named together at the end."""
    from . import parallel  # noqa: PLC0415

    failed = []
    outcomes = _progress(parallel.each(one, files, jobs=jobs), what, len(files))
    for file, outcome in zip(files, outcomes, strict=True):
        try:
            outcome()
        except (ValueError, OSError) as error:
            if len(files) == 1:
                raise
            failed.append(str(error) if str(file) in str(error) else f"{file}: {error}")
    if failed:
        more = [f"and {len(failed) - SAID} more"] if len(failed) > SAID else []
        said = "; ".join(failed[:SAID] + more)
        raise outputs.UsageError(f"{len(failed)} of {len(files)} images failed: {said}")


def _progress(outcomes: Iterable, what: str, total: int):
    console = Console(stderr=True)
    return track(outcomes, what, total, console=console, disable=not console.is_terminal)
