"""The ``defocus`` command: maps, enhancement, magnification, fusion and depth of one's own photographs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from . import DEFAULT_MODEL, __version__, atomic, images, outputs

SAID = 5  # failures of a folder that are told
SHOWN = 0.98  # share of the finite distances that the colours of a picture tell apart


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status: 0, 2 on bad input, 130 where it was interrupted."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        return _ended(str(error), 2)
    except KeyboardInterrupt:
        return _ended("interrupted", 130)
    except Exception as error:
        if not _lacks_memory(error):
            raise
        return _ended("not enough memory; --jobs 1 has one photograph in memory at a time", 2)
    return 0


def _ended(why: str, status: int) -> int:
    print(f"defocus: {' '.join(why.split())}", file=sys.stderr)
    return status


def _lacks_memory(error: Exception) -> bool:
    """Say whether memory ran out: NumPy, torch, OpenCV and oneDNN each have an error of their own for it."""
    said = str(error).lower()
    phrases = ("allocate memory", "insufficient memory", "not enough memory", "could not create a primitive")
    return isinstance(error, MemoryError) or any(phrase in said for phrase in phrases)


def _map(options: argparse.Namespace) -> None:
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


def _enhance(options: argparse.Namespace) -> None:
    from . import enhance  # noqa: PLC0415

    settings = enhance.Settings(gain=options.gain)
    _apply(options, "enhanced", lambda image, sigma: enhance.enhance(image, sigma, settings))


def _magnify(options: argparse.Namespace) -> None:
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


def _fuse(options: argparse.Namespace) -> None:
    from . import backbones, fuse  # noqa: PLC0415

    stacks = outputs.stacks(options.images)
    files = {stack: [getattr(shot, "path", shot) for shot in shots] for stack, shots in stacks.items()}
    inputs = [file for shots in files.values() for file in shots]

    def name(stack: Path) -> str:
        return stack.resolve().name if stack.is_dir() else stack.stem

    written = outputs.targets(
        list(stacks), options.out, lambda stack: name(stack) + files[stack][0].suffix, inputs
    )
    labels = {}
    if options.labels:
        taken = [*inputs, *written.values()]
        labels = outputs.targets(
            list(stacks), options.labels, lambda stack: f"{name(stack)}.png", taken, option="--labels"
        )
        lossy = [path for path in labels.values() if path.suffix.lower() != ".png"]
        if lossy:
            raise outputs.UsageError(
                f"--labels holds numbers and is written as .png, not {lossy[0].suffix!r}"
            )
    settings, model = fuse.Settings(seam=options.seam), backbones.load(options.model)

    def one(stack: Path) -> None:
        shots = stacks[stack]
        images.check_suffix(written[stack], images.read(shots[0]).dtype)
        fusion = fuse.fuse(
            shots,
            model=model,
            settings=settings,
            register=options.register,
            match_exposure=options.match_exposure,
        )
        images.write(written[stack], fusion.image, like=getattr(shots[0], "path", shots[0]))
        if stack in labels:
            images.write(labels[stack], fusion.labels)

    _each(list(stacks), "fused", one, jobs=options.jobs)


def _depth(options: argparse.Namespace) -> None:
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
            finite = values[np.isfinite(values)]
            top = max(float(np.quantile(finite, SHOWN)), 1e-6) if finite.size else 1.0
            shown = np.minimum(values, top)  # what is farther, to infinity, has the last colour
            plots.save_map(shown, written[file].with_suffix(f".{name}.png"), top=top, label=label)

    _each(files, "depth", one, jobs=options.jobs)


def _export(options: argparse.Namespace) -> None:
    from . import backbones, export  # noqa: PLC0415

    export.to_onnx(backbones.load(options.model), options.file)


def _models(_: argparse.Namespace) -> None:
    from . import backbones  # noqa: PLC0415

    for name in backbones.shipped():
        about = backbones.load(name, folded=False).describe()
        print(f"{name}{' (default)' if name == DEFAULT_MODEL else ''}: {about}")


def _apply(options: argparse.Namespace, what: str, application: Callable) -> None:
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


def _provenance(options: argparse.Namespace) -> None:
    from . import provenance  # noqa: PLC0415

    print(json.dumps(provenance.find(options.file), indent=1, sort_keys=True))


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="defocus", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("map", help="defocus map: sigma in pixels as .npy and as a picture")
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER")
    command.add_argument("--out", required=True, type=Path, metavar="DIR")
    command.add_argument(
        "--step", type=int, default=16, help="pixels between windows; scenenet has none (default %(default)s)"
    )
    command.add_argument("--no-refine", dest="refine", action="store_false", help="leave out the refinement")
    command.add_argument(
        "--probability",
        action="store_true",
        help="also write STEM.probability.npy, 1 = in focus against the rest of the photograph",
    )
    command.set_defaults(run=_map)
    _add_jobs(command)
    _add_model(command)

    command = commands.add_parser("enhance", help="sharpen what is slightly blurred")
    _add_images(command)
    command.add_argument("--gain", type=float, default=2.0, help="largest gain (default %(default)s)")
    command.set_defaults(run=_enhance)

    command = commands.add_parser(
        "magnify", help="blur the background further, as a wider aperture or as published"
    )
    _add_images(command)
    command.add_argument(
        "--strength",
        type=float,
        metavar="FACTOR",
        help="how much wider the aperture is, by which sigma is multiplied (default 3)",
    )
    command.add_argument(
        "--in-focus",
        type=float,
        help="sigma kept as it is, pixels, and nothing else (default: all that is likely in focus, with two "
        "pixels around; with --published 0.74)",
    )
    command.add_argument(
        "--published", action="store_true", help="the published equations instead, which have no strength"
    )
    command.add_argument(
        "--out-of-focus",
        type=float,
        help="with --published: sigma blurred in full, pixels (default 4.0)",
    )
    command.set_defaults(run=_magnify)

    command = commands.add_parser("fuse", help="one sharp image from shots focused at different distances")
    command.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER", help="each folder a stack"
    )
    command.add_argument("--out", required=True, type=Path, metavar="FILE_OR_DIR")
    command.add_argument(
        "--labels", type=Path, metavar="FILE_OR_DIR", help="which shot each pixel comes from, 8-bit PNG"
    )
    command.add_argument("--register", action="store_true", help="bring the shots onto the first one first")
    command.add_argument(
        "--match-exposure", action="store_true", help="give the shots the exposure of the first one first"
    )
    command.add_argument(
        "--seam", type=float, default=0.0, help="blend over seams, sigma in pixels (default: no blending)"
    )
    command.set_defaults(run=_fuse)
    _add_jobs(command)
    _add_model(command)

    command = commands.add_parser(
        "depth",
        help="distances from blur: STEM.near.npy and STEM.far.npy in metres, or STEM.relative.npy",
        description="Blur allows two distances, before and behind the plane in focus. Where neither the "
        "options nor EXIF tell the lens, |1/distance - 1/focus| is written, scaled to its largest.",
    )
    _add_images(command, out="DIR")
    for name, unit, what in (
        ("focal-length", "MM", "focal length"),
        ("f-number", "N", "focal length by diameter of the aperture"),
        ("focus-distance", "M", "from the lens to the plane in focus"),
        ("pixel-pitch", "UM", "from one pixel to the next on the sensor, in micrometres"),
    ):
        command.add_argument(f"--{name}", type=float, metavar=unit, help=f"{what} (default: EXIF)")
    command.set_defaults(run=_depth)

    command = commands.add_parser("export", help="a model as ONNX: grey image in, sigma of every cell out")
    command.add_argument("file", type=Path, metavar="FILE.onnx")
    command.set_defaults(run=_export)
    _add_model(command)

    command = commands.add_parser("provenance", help="what made a result of the workflow, as JSON")
    command.add_argument("file", type=Path, help="any file under results/")
    command.set_defaults(run=_provenance)

    command = commands.add_parser("models", help="the models that come with the package")
    command.set_defaults(run=_models)
    return parser


def _add_images(command: argparse.ArgumentParser, *, out: str = "FILE_OR_DIR") -> None:
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER")
    command.add_argument("--out", required=True, type=Path, metavar=out)
    command.add_argument(
        "--map",
        type=Path,
        metavar="FILE_OR_DIR",
        help="use this map, or the folder's STEM.npy (default: estimate)",
    )
    _add_jobs(command)
    _add_model(command)


def _add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="images worked on side by side (default: one a core; memory grows with it)",
    )


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", default=DEFAULT_MODEL, help="shipped model or .safetensors file (%(default)s)"
    )
