"""What each command of `defocus` does with its options."""

from __future__ import annotations

import dataclasses
import json
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from defocus_core import __version__
from defocus_core.cli import inputs, outputs
from defocus_core.cli.inputs import Item
from defocus_core.cli.run_items import run_each_item
from defocus_core.constants import DEFAULT_MODEL
from defocus_core.io import atomic
from defocus_core.io.arrays import check_map_fits
from defocus_core.io.color import to_dtype
from defocus_core.io.map_files import find_map, read_map, write_map
from defocus_core.io.photograph import Photograph
from defocus_core.io.read import read_photograph
from defocus_core.io.write import check_suffix, write

if TYPE_CHECKING:
    from defocus_core.networks.classifier import Classifier


def run_map(options: Namespace) -> None:
    """Write STEM.npy and STEM.png of every image, and STEM.probability.npy where it is asked for."""
    from defocus_core.io.map_pictures import write_map_picture
    from defocus_core.maps.focus import in_focus
    from defocus_core.maps.pipeline import estimate_with_certainty
    from defocus_core.networks.storage import load_model

    files, suffix = inputs.expand_paths(options.images, **inputs.chosen_places(options)), f".{options.format}"
    more = [".probability.npy"] * options.probability + [f".um{suffix}"] * (options.unit == "um")
    written = outputs.map_targets(files, options.out, (".png", suffix, *more), given=options.images)
    model = load_model(options.model)
    outputs.make_folders(written.values())
    notes = {"model": str(options.model), "software": f"defocus-core {__version__}"}

    def one(file: Item) -> None:
        photograph = read_photograph(file, half_size=options.half_size)
        size, target = photograph.pixel_size, written[file]
        if options.unit == "um" and size is None:
            raise inputs.UsageError(f"{file}: its pixel size is not known, which --unit um needs; leave it out")
        sigma, certainty = estimate_with_certainty(
            photograph.for_measuring(), model=model, step=options.step, refine=options.refine
        )
        write_map(target.with_suffix(suffix), sigma, unit="px", pixel_size=size, notes=notes)
        if options.unit == "um" and size:
            write_map(target.with_suffix(f".um{suffix}"), sigma * size, unit="um", pixel_size=size, notes=notes)
        if options.probability:
            chance = in_focus(sigma, certainty=certainty)
            if photograph.empty is not None:
                chance[photograph.empty] = 0
            atomic.write_array(target.with_suffix(".probability.npy"), chance)
        write_map_picture(sigma, target.with_suffix(".png"))

    run_each_item(files, "maps", one, jobs=options.jobs)


def run_enhance(options: Namespace) -> None:
    """Write every image sharpened where it is slightly blurred."""
    from defocus_core.applications.enhance import (
        EnhanceConfig,
        enhance,
    )

    config = EnhanceConfig(amount=options.gain)
    _run_application(options, "enhanced", lambda image, sigma: enhance(image, sigma, config))


def run_magnify(options: Namespace) -> None:
    """Write every image with its defocus magnified."""
    from defocus_core.applications.magnify import (
        DEFAULT_APERTURE_RATIO,
        MagnifyConfig,
        check_aperture_ratio,
        magnify,
        magnify_published,
    )

    if options.published and options.strength is not None:
        raise inputs.UsageError("--published has no --strength: its equations blur by one amount")
    if not options.published and options.out_of_focus is not None:
        raise inputs.UsageError("--out-of-focus goes with --published")
    if options.published:
        given = {name: getattr(options, name) for name in ("in_focus", "out_of_focus")}
        config = MagnifyConfig(**{name: value for name, value in given.items() if value is not None})
        _run_application(options, "magnified", lambda image, sigma: magnify_published(image, sigma, config))
    else:
        factor = DEFAULT_APERTURE_RATIO if options.strength is None else options.strength
        kept = options.in_focus
        check_aperture_ratio(factor, kept)
        _run_application(
            options,
            "magnified",
            lambda image, sigma: magnify(image, sigma, aperture_ratio=factor, sharp_sigma=kept),
        )


def run_depth(options: Namespace) -> None:
    """Write STEM.near and STEM.far, or STEM.relative, of every image as .npy and .png."""
    from defocus_core.applications.depth import (
        Lens,
        lens_from_exif,
        missing_fields,
        relative_defocus,
        resolve_lens,
    )
    from defocus_core.io.map_pictures import write_distance_picture
    from defocus_core.networks.storage import load_model

    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(Lens)}
    files = inputs.expand_paths(options.images, **inputs.chosen_places(options))
    kinds = [f".{name}{suffix}" for name in ("near", "far", "relative") for suffix in (".png", ".npy")]
    written = outputs.map_targets(files, options.out, kinds, given=options.images)
    maps = _map_paths(files, options.map)
    outputs.refuse_overwriting(maps, (path.with_suffix(kind) for path in written.values() for kind in kinds))
    model = load_model(options.model)
    outputs.make_folders(written.values())

    def one(file: Item) -> None:
        photograph = read_photograph(file, half_size=options.half_size)
        height, width = photograph.pixels.shape[:2]
        lens = resolve_lens(inputs.file_of_shot(file), size=(width, height), **given)
        sigma = _map_of(file, photograph, model, options.map)
        if lens is None:
            missing = " and ".join(missing_fields(lens_from_exif(inputs.file_of_shot(file), size=(width, height))))
            print(f"{file}: {missing} not known from its EXIF; distances are relative, --help names the options")
            found = {"relative": relative_defocus(sigma)}
            label = "|1/d - 1/focus|, share of the largest"
        else:
            print(f"{file}: {lens}")
            found = dict(zip(("near", "far"), lens.distances(sigma), strict=True))
            label = "distance (m)"
        for name, values in found.items():
            atomic.write_array(written[file].with_suffix(f".{name}.npy"), values)
            write_distance_picture(values, written[file].with_suffix(f".{name}.png"), label=label)
        for kind in kinds:
            if kind.split(".")[1] not in found:  # of an earlier run
                written[file].with_suffix(kind).unlink(missing_ok=True)

    run_each_item(files, "depth", one, jobs=options.jobs)


def run_export(options: Namespace) -> None:
    """Write a model as ONNX."""
    from defocus_core.networks.export import export_onnx
    from defocus_core.networks.storage import load_model

    export_onnx(load_model(options.model), options.file)


def run_models(_: Namespace) -> None:
    """Print the models that come with the package."""
    from defocus_core.networks.storage import (
        load_model,
        shipped_models,
    )

    for name in shipped_models():
        about = load_model(name, folded=False).describe()
        print(f"{name}{' (default)' if name == DEFAULT_MODEL else ''}: {about}")


def run_provenance(options: Namespace) -> None:
    """Print what made a result of the workflow."""
    from defocus_core.io.provenance import find_provenance

    print(json.dumps(find_provenance(options.file), indent=1, sort_keys=True))


def _run_application(options: Namespace, what: str, application: Callable) -> None:
    """Run an application of image and map on every image; write it as the image was."""
    from defocus_core.networks.storage import load_model

    files = inputs.expand_paths(options.images, **inputs.chosen_places(options))
    taken = [inputs.file_of_shot(file) for file in files]
    if options.map and options.map.is_dir():
        outputs.maps_by_stem(files, options.map)
    taken += _map_paths(files, options.map)
    written = outputs.output_targets(files, options.out, lambda file: file.stem + outputs.writable(file), taken)
    model = load_model(options.model)
    outputs.make_folders(written.values())

    def one(file: Item) -> None:
        photograph = read_photograph(file, half_size=options.half_size)
        image, empty = photograph.pixels, photograph.empty
        check_suffix(written[file], image.dtype)
        found = application(photograph.filled, _map_of(file, photograph, model, options.map))
        result = found if image.dtype.kind == "f" else to_dtype(found, image.dtype)
        if empty is not None:
            result[empty] = image[empty]
        write(written[file], result, like=inputs.file_of_shot(file), alpha=photograph.alpha, keep_float=True)

    run_each_item(files, what, one, jobs=options.jobs)


def _map_of(file: Item, photograph: Photograph, model: Classifier, given: Path | None) -> np.ndarray:
    """Return the map of a photograph: the one given for it, or an estimate."""
    from defocus_core.maps.pipeline import estimate

    if given is None:
        return estimate(photograph.for_measuring(), model=model)
    path = _map_path(file, given)
    sigma = read_map(path)
    try:
        check_map_fits(sigma, photograph.pixels)
    except ValueError as error:
        raise ValueError(f"{file}: {error}: {path}") from error
    return sigma


def _map_paths(files: Sequence[Item], given: Path | None) -> list[Path]:
    """Return the maps given for photographs; refuse one for several."""
    if given and not given.is_dir() and len(files) > 1:
        raise inputs.UsageError(f"one map, {str(given)!r}, for {len(files)} photographs; give a folder of maps")
    return [_map_path(file, given) for file in files] if given else []


def _map_path(file: Item, given: Path) -> Path:
    """Return the map of a photograph: the file given, or the one of its stem in the folder given."""
    return find_map(given, file.stem) if given.is_dir() else given
