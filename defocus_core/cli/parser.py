"""The `defocus` command: maps, enhancement, magnification, fusion, depth and scores of one's own photographs."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from defocus_core import __version__
from defocus_core.cli import commands, fuse, score
from defocus_core.constants import DEFAULT_MODEL, PASSIVE_THREADS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status: 0, 2 on bad input, 130 where it was interrupted."""
    for key, value in PASSIVE_THREADS.items():
        os.environ.setdefault(key, value)
    options = _build_parser().parse_args(arguments)
    for library in (
        "tifffile",
        "exiv2",
        "matplotlib",
    ):  # what they find, as in a damaged file, one line of our own says
        logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        with _told_warnings():
            options.run(options)
    except (ValueError, OSError) as error:
        return _exit_with(_said_by(error), 2)
    except KeyboardInterrupt:
        return _exit_with("interrupted", 130)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        return _exit_with(
            "not enough memory; --jobs 1 has one photograph in memory at a time, and a smaller one needs less", 2
        )
    return 0


@contextmanager
def _told_warnings() -> Iterator[None]:
    """Print a warning of the library as one line, without the place in the code."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_: print(f"defocus: {message}", file=sys.stderr)
        yield


def _said_by(error: Exception) -> str:
    """Return what an error says; of one of the system, the file first, and no number."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _exit_with(why: str, status: int) -> int:
    print(f"defocus: {' '.join(why.split())}", file=sys.stderr)
    return status


def _is_out_of_memory(error: Exception) -> bool:
    """Say whether memory ran out: NumPy, torch, OpenCV and oneDNN each have an error of their own for it."""
    said = str(error).lower()
    phrases = ("allocate memory", "insufficient memory", "not enough memory", "could not create a primitive")
    return isinstance(error, MemoryError) or any(phrase in said for phrase in phrases)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="defocus", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    known = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_map_command,
        _add_enhance_command,
        _add_magnify_command,
        _add_fuse_command,
        _add_depth_command,
        _add_score_command,
        _add_export_command,
        _add_provenance_command,
        _add_models_command,
    ):
        add(known)
    return parser


def _add_map_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser("map", help="defocus map: sigma in pixels as .npy and as a picture")
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
    command.add_argument(
        "--format",
        choices=("npy", "tif", "exr"),
        default="npy",
        help="of the map: NumPy, or float32 TIFF or OpenEXR that note unit, model and version (default %(default)s)",
    )
    command.add_argument(
        "--unit",
        choices=("px", "um"),
        default="px",
        help="um: also STEM.um in micrometres, where the pixel size is known",
    )
    command.set_defaults(run=commands.run_map)
    _add_choice(command)
    _add_jobs(command)
    _add_model(command)


def _add_enhance_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser("enhance", help="sharpen what is slightly blurred")
    _add_images(command)
    command.add_argument("--gain", type=float, default=2.0, help="largest gain (default %(default)s)")
    command.set_defaults(run=commands.run_enhance)


def _add_magnify_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser("magnify", help="blur the background further, as a wider aperture or as published")
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
    command.set_defaults(run=commands.run_magnify)


def _add_fuse_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser(
        "fuse",
        help="one sharp image from shots focused at different distances",
        description="Shots are given in the order of their focus, from front to back where that matters.",
    )
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER", help="each folder a stack")
    command.add_argument("--out", type=Path, metavar="FILE_OR_DIR")
    _add_fusion_results(command)
    _add_fusion_alignment(command)
    command.add_argument(
        "--strict", action="store_true", help="refuse a stack with a bad shot (default: leave it out, with a warning)"
    )
    command.add_argument(
        "--seam",
        type=float,
        help="blend over seams, sigma in pixels; 0 copies all that has detail (default: mix where the choice is close)",
    )
    command.add_argument(
        "--prefer",
        choices=("front", "back"),
        help="what wins where a blurred front veils a sharp background: a clean outline, or the background",
    )
    command.add_argument("--use-labels", type=Path, metavar="FILE.png", help="take each pixel from the shot it names")
    command.add_argument("--slab", type=int, metavar="N", help="fuse every N neighbouring shots by themselves")
    command.add_argument("--overlap", type=int, default=0, metavar="M", help="shots that slabs share (default 0)")
    command.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth shot (default all)")
    command.add_argument("--dry-run", action="store_true", help="say what would be read, in which order, and written")
    command.add_argument(
        "--resume", action="store_true", help="keep the state beside --out, and go on from it after a killed run"
    )
    command.set_defaults(run=fuse.run_fuse)
    _add_places(command)
    command.add_argument("--jobs", type=int, default=1, metavar="N", help="stacks worked on side by side (default 1)")
    _add_model(command)


def _add_fusion_results(command: argparse.ArgumentParser) -> None:
    for option, metavar, what in (
        ("labels", "FILE_OR_DIR", "which shot each pixel comes from, PNG of 8 bit, of 16 bit beyond 255 shots"),
        ("depth", "FILE_OR_DIR", "where in the stack each pixel is sharp, in shots from 0, and NAME.confidence"),
        ("nowhere", "FILE_OR_DIR", "PNG, white where no shot is sharp"),
        ("report", "FILE.html", "contact sheet: labels, depth, the most doubtful seams"),
    ):
        command.add_argument(f"--{option}", type=Path, metavar=metavar, help=what)


def _add_fusion_alignment(command: argparse.ArgumentParser) -> None:
    command.add_argument("--register", action="store_true", help="bring the shots onto the reference first")
    command.add_argument(
        "--match-exposure",
        action=argparse.BooleanOptionalAction,
        help="give the shots the exposure of the reference first (default: if it differs, from 3 %% on)",
    )
    command.add_argument(
        "--reference",
        metavar="SHOT",
        help="that the others are aligned to: number, first, middle, last or file name (default: that of the "
        "alignment given, or first)",
    )
    command.add_argument(
        "--crop",
        action=argparse.BooleanOptionalAction,
        help="crop to the frame that all shots share (default: with --register)",
    )
    command.add_argument("--align-only", type=Path, metavar="DIR", help="write the aligned shots")
    command.add_argument(
        "--alignment", type=Path, metavar="FILE.json", help="use this alignment; if there is no such file, write it"
    )


def _add_depth_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser(
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
        ("pixel-pitch", "UM", "from one pixel of what is read to the next on the sensor, in micrometres"),
    ):
        command.add_argument(f"--{name}", type=float, metavar=unit, help=f"{what} (default: EXIF)")
    command.set_defaults(run=commands.run_depth)


def _add_score_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser(
        "score",
        help="how sharp photographs are, in one number each: sorted, with the best of each burst",
        description="The number is the sigma, in pixels, of the sharpest hundredth of what tells of blur.",
    )
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER")
    command.add_argument("--out", type=Path, metavar="FILE", help="also write the table, .csv or .json")
    command.add_argument(
        "--mask", type=Path, metavar="FILE", help="image, neither black nor transparent where the subject is"
    )
    command.add_argument("--box", metavar="X,Y,W,H", help="where the subject is, pixels from the upper left corner")
    command.add_argument(
        "--rating", action="store_true", help="write 1 to 5 stars to IMAGE.xmp; the photograph is not touched"
    )
    command.add_argument("--html", type=Path, metavar="FILE", help="write a contact sheet, what is in focus outlined")
    command.add_argument(
        "--planes", action="store_true", help="which plane of each stack is the sharpest, with its confidence"
    )
    command.set_defaults(run=score.run_score)
    _add_choice(command)
    _add_jobs(command)
    _add_model(command)


def _add_export_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser("export", help="a model as ONNX: grey image in, sigma of every cell out")
    command.add_argument("file", type=Path, metavar="FILE.onnx")
    command.set_defaults(run=commands.run_export)
    _add_model(command)


def _add_provenance_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser("provenance", help="what made a result of the workflow, as JSON")
    command.add_argument("file", type=Path, help="any file under results/")
    command.set_defaults(run=commands.run_provenance)


def _add_models_command(known: argparse._SubParsersAction) -> None:
    command = known.add_parser("models", help="the models that come with the package")
    command.set_defaults(run=commands.run_models)


def _add_images(command: argparse.ArgumentParser, *, out: str = "FILE_OR_DIR") -> None:
    command.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER")
    command.add_argument("--out", required=True, type=Path, metavar=out)
    command.add_argument(
        "--map",
        type=Path,
        metavar="FILE_OR_DIR",
        help="use this map, or the folder's STEM.npy, .tif, .tiff or .exr (default: estimate)",
    )
    _add_choice(command)
    _add_jobs(command)
    _add_model(command)


def _add_choice(command: argparse.ArgumentParser) -> None:
    _add_places(command)
    command.add_argument("--half-size", action="store_true", help="develop RAW photographs in half their size")


def _add_places(command: argparse.ArgumentParser) -> None:
    for axis in ("channel", "z", "time"):
        command.add_argument(
            f"--{axis}", type=int, metavar="N", help=f"of a microscope's file that {axis} alone, from 1"
        )


def _add_jobs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="images worked on side by side (default: one a core; memory grows with it)",
    )


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", default=DEFAULT_MODEL, help="shipped model or .safetensors file (%(default)s)")
