"""The ``defocus`` command: maps, enhancement, magnification and fusion of one's own photographs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
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

    files = _expand(options.images)
    model = backbones.load(options.model)
    failed = []
    for file in _progress(files, "maps"):
        try:
            sigma = maps.estimate(images.read(file), model=model, step=options.step, refine=options.refine)
        except (ValueError, OSError) as error:
            if len(files) == 1:
                raise
            failed.append(str(error))
            continue
        options.out.mkdir(parents=True, exist_ok=True)
        np.save(options.out / f"{file.stem}.npy", sigma)
        if options.probability:
            np.save(options.out / f"{file.stem}.probability.npy", maps.in_focus(sigma))
        plots.save_map(sigma, options.out / f"{file.stem}.png")
    if failed:
        raise UsageError(f"{len(failed)} of {len(files)} images failed: {'; '.join(failed)}")


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

    fusion = fuse.fuse(options.images, model=options.model)
    images.write(options.out, fusion.image, like=options.images[0])
    if options.labels:
        images.write(options.labels, fusion.labels)


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


def _progress(files: Sequence[Path], what: str):
    console = Console(stderr=True)
    return track(files, what, console=console, disable=not console.is_terminal)


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
    command.set_defaults(run=_fuse)
    _add_model(command)

    command = commands.add_parser("models", help="the models that come with the package")
    command.set_defaults(run=_models)
    return parser


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", default=DEFAULT_MODEL, help="shipped model or .safetensors file (%(default)s)"
    )
