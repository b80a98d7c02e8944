"""The ``defocus`` command: maps, enhancement, magnification, fusion and depth of one's own photographs."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from . import DEFAULT_MODEL, __version__, images


class UsageError(ValueError):
    """Something in the command line that can be said in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status: 0, or 2 on bad input."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        print(f"defocus: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _map(options: argparse.Namespace) -> None:
    from . import backbones, maps, plots  # noqa: PLC0415

    model = backbones.load(options.model)

    def one(file: Path) -> None:
        sigma = maps.estimate(images.read(file), model=model, step=options.step, refine=options.refine)
        options.out.mkdir(parents=True, exist_ok=True)
        np.save(options.out / f"{file.stem}.npy", sigma)
        if options.probability:
            np.save(options.out / f"{file.stem}.probability.npy", maps.in_focus(sigma))
        plots.save_map(sigma, options.out / f"{file.stem}.png")

    _each(_expand(options.images), "maps", one, jobs=options.jobs)


def _enhance(options: argparse.Namespace) -> None:
    from . import enhance, maps  # noqa: PLC0415

    image = images.read(options.image)
    sigma = maps.estimate(image, model=options.model)
    result = enhance.enhance(image, sigma, enhance.Settings(gain=options.gain))
    _save(options.out, result, image, options.image)


def _magnify(options: argparse.Namespace) -> None:
    from . import magnify, maps  # noqa: PLC0415

    image = images.read(options.image)
    sigma = maps.estimate(image, model=options.model)
    settings = magnify.Settings(in_focus=options.in_focus, out_of_focus=options.out_of_focus)
    _save(options.out, magnify.magnify(image, sigma, settings), image, options.image)


def _fuse(options: argparse.Namespace) -> None:
    from . import fuse  # noqa: PLC0415

    fusion = fuse.fuse(
        options.images,
        model=options.model,
        settings=fuse.Settings(seam=options.seam),
        register=options.register,
        match_exposure=options.match_exposure,
    )
    images.write(options.out, fusion.image, like=options.images[0])
    if options.labels:
        images.write(options.labels, fusion.labels)


def _depth(options: argparse.Namespace) -> None:
    from . import backbones, depth, maps, plots  # noqa: PLC0415

    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(depth.Lens)}
    model = backbones.load(options.model)

    def one(file: Path) -> None:
        image = images.read(file)
        lens = depth.lens(file, **given)
        sigma = maps.estimate(image, model=model)
        if lens is None:
            found = {"relative": depth.relative(sigma)}
            label = "|1/d - 1/focus|, share of the largest"
        else:
            found = dict(zip(("near", "far"), lens.distances(sigma), strict=True))
            label = "distance (m)"
        options.out.mkdir(parents=True, exist_ok=True)
        for name, values in found.items():
            np.save(options.out / f"{file.stem}.{name}.npy", values)
            top = float(values[np.isfinite(values)].max(initial=0))
            plots.save_map(values, options.out / f"{file.stem}.{name}.png", top=top, label=label)

    _each(_expand(options.images), "depth", one, jobs=options.jobs)


def _export(options: argparse.Namespace) -> None:
    from . import backbones, export  # noqa: PLC0415

    export.to_onnx(backbones.load(options.model), options.file)


def _models(_: argparse.Namespace) -> None:
    from . import backbones  # noqa: PLC0415

    for name in backbones.shipped():
        print(f"{name}{' (default)' if name == DEFAULT_MODEL else ''}: {backbones.load(name).describe()}")


def _save(path: Path, result: np.ndarray, image: np.ndarray, source: Path) -> None:
    images.write(path, images.as_depth(result, image.dtype), like=source)


def _expand(paths: Sequence[Path]) -> list[Path]:
    files = [file for path in paths for file in (images.listing(path) if path.is_dir() else [path])]
    if not files:
        raise UsageError(f"no images in {', '.join(map(str, paths))}; known: {', '.join(images.SUFFIXES)}")
    stems = [file.stem for file in files]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise UsageError(
            f"two images are named {twice[0]!r} and would share one output; map them one at a time"
        )
    return files


def _each(files: Sequence[Path], what: str, one: Callable[[Path], None], *, jobs: int | None) -> None:
    """Run every file, with progress; those that fail are named together at the end."""
    from . import parallel  # noqa: PLC0415

    failed = []
    for outcome in _progress(parallel.each(one, files, jobs=jobs), what, len(files)):
        try:
            outcome()
        except (ValueError, OSError) as error:
            if len(files) == 1:
                raise
            failed.append(str(error))
    if failed:
        raise UsageError(f"{len(failed)} of {len(files)} images failed: {'; '.join(failed)}")


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
        "--probability", action="store_true", help="also write STEM.probability.npy, 1 = in focus"
    )
    command.set_defaults(run=_map)
    _add_jobs(command)
    _add_model(command)

    command = commands.add_parser("enhance", help="sharpen what is slightly blurred")
    command.add_argument("image", type=Path)
    command.add_argument("--out", required=True, type=Path, metavar="FILE")
    command.add_argument("--gain", type=float, default=2.0, help="largest gain (default %(default)s)")
    command.set_defaults(run=_enhance)
    _add_model(command)

    command = commands.add_parser("magnify", help="blur the background further")
    command.add_argument("image", type=Path)
    command.add_argument("--out", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--in-focus", type=float, default=0.55, help="sigma kept as it is, pixels (default %(default)s)"
    )
    command.add_argument(
        "--out-of-focus", type=float, default=3.9, help="sigma blurred in full, pixels (default %(default)s)"
    )
    command.set_defaults(run=_magnify)
    _add_model(command)

    command = commands.add_parser("fuse", help="one sharp image from shots focused at different distances")
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    command.add_argument("--out", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--labels", type=Path, metavar="FILE", help="which shot each pixel comes from, 8-bit PNG"
    )
    command.add_argument("--register", action="store_true", help="bring the shots onto the first one first")
    command.add_argument(
        "--match-exposure", action="store_true", help="give the shots the exposure of the first one first"
    )
    command.add_argument(
        "--seam", type=float, default=0.0, help="blend over seams, sigma in pixels (default: no blending)"
    )
    command.set_defaults(run=_fuse)
    _add_model(command)

    command = commands.add_parser(
        "depth",
        help="distances from blur: STEM.near.npy and STEM.far.npy in metres, or STEM.relative.npy",
        description="Blur allows two distances, before and behind the plane in focus. Where neither the "
        "options nor EXIF tell the lens, |1/distance - 1/focus| is written, scaled to its largest.",
    )
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER")
    command.add_argument("--out", required=True, type=Path, metavar="DIR")
    for name, unit, what in (
        ("focal-length", "MM", "focal length"),
        ("f-number", "N", "focal length by diameter of the aperture"),
        ("focus-distance", "M", "from the lens to the plane in focus"),
        ("pixel-pitch", "UM", "from one pixel to the next on the sensor, in micrometres"),
    ):
        command.add_argument(f"--{name}", type=float, metavar=unit, help=f"{what} (default: EXIF)")
    command.set_defaults(run=_depth)
    _add_jobs(command)
    _add_model(command)

    command = commands.add_parser("export", help="a model as ONNX: grey image in, sigma of every cell out")
    command.add_argument("file", type=Path, metavar="FILE.onnx")
    command.set_defaults(run=_export)
    _add_model(command)

    command = commands.add_parser("models", help="the models that come with the package")
    command.set_defaults(run=_models)
    return parser


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
