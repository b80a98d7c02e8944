"""Benchmark sets: photographs with masks or sigma maps, and the methods scored on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from defocus_core.evaluation import metrics
from defocus_core.evaluation.baselines.registry import METHODS, WITH_UNIT
from defocus_core.evaluation.benchmark_sets import BenchmarkSetError, ImagePair, maps_by_stem
from defocus_core.io.arrays import read_array
from defocus_core.io.color import to_grey
from defocus_core.io.read import read, read_for_measuring

MAX_SIGMA_THRESHOLD = 16.0  # pixels, up to which one threshold for a whole set is looked for
UNITS = {"probability": 1.0, **dict.fromkeys(("map", *WITH_UNIT), MAX_SIGMA_THRESHOLD)}
_ERROR = "mae", "mean absolute error (pixels of sigma)", False
MEASURES = {  # of maps by what is known: the column that ranks methods, what it is, and whether more is better
    "sigma": _ERROR,
    "embedded": _ERROR,
    "relative": ("spearman", "rank correlation", True),
}
Method = Callable[[ImagePair, np.ndarray], np.ndarray]


def read_mask(path: Path, *, blurred_value: str) -> np.ndarray:
    """Read a binary mask as (H, W) bool, True where blurred.

    Parameters
    ----------
    path : image of 0 and the largest value of its depth, cut half way
    blurred_value : `white` or `black`: what the set's masks mean by it

    Raises
    ------
    BenchmarkSetError
        If `blurred_value` is neither, or the mask is not black all over and yet nowhere white, as one of 0 and 1.
    """
    if blurred_value not in ("white", "black"):
        raise BenchmarkSetError(f"blurred_value is 'white' or 'black', not {blurred_value!r}")
    grey = to_grey(read(path))
    white = grey > 0.5
    if grey.any() and not white.any():
        brightest = f"the brightest pixel is at {100 * grey.max():.2g} % of white"
        raise BenchmarkSetError(f"{path}: a mask of 0 and 255 is expected, {brightest}; save it in full range")
    return white if blurred_value == "white" else ~white


def read_sigma(path: Path, *, table: str | Path | None = None) -> np.ndarray:
    """Read a sigma map, (H, W) float32; never unpickles.

    Parameters
    ----------
    path : `.npy` file of sigma in pixels, or of the radius of a disk in pixels
    table : CSV file with the columns `radius_px` and `sigma_px`, where the map is of radii; each becomes
        the sigma of the nearest row. NaN stays NaN.

    Raises
    ------
    BenchmarkSetError
        If the table lacks those columns.
    ValueError
        If the file holds anything but (H, W) real numbers.
    """
    values = read_array(path)
    if table is None:
        return values
    rows = pd.read_csv(table)
    if not {"radius_px", "sigma_px"} <= set(rows):
        raise BenchmarkSetError(f"{table}: expected columns radius_px and sigma_px, found {', '.join(rows)}")
    rows = rows.sort_values("radius_px")
    radius, sigma = rows.radius_px.to_numpy(np.float32), rows.sigma_px.to_numpy(np.float32)
    nearest = np.searchsorted((radius[1:] + radius[:-1]) / 2, values)
    return np.where(np.isfinite(values), sigma[nearest], np.float32(np.nan))


def read_peer_map(path: str | Path, shape: tuple[int, int], *, high_means: str) -> np.ndarray:
    """Read another method's map, resized to (H, W); float32, higher is more blurred.

    Parameters
    ----------
    high_means : `sharp` or `blurred`: what a high value means in those maps

    Raises
    ------
    BenchmarkSetError
        If the map lies on its side.
    """
    path = Path(path)
    values = read_sigma(path) if path.suffix == ".npy" else to_grey(read(path))
    if values.shape != shape and values.shape == shape[::-1]:
        raise BenchmarkSetError(f"{path}: a map of {values.shape} for a photograph of {shape}; turn it")
    if values.shape != shape:
        values = cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return values if high_means == "blurred" else -values


def read_relative(path: str | Path) -> np.ndarray:
    """Read a picture that is the brighter the more blurred, (H, W) float32 in (0, 1]; NaN where black: unknown."""
    grey = to_grey(read(path))
    return np.where(grey > 0, grey, np.float32(np.nan))


def read_truth(pair: ImagePair, settings: dict) -> np.ndarray:
    """Read the truth of a pair as float32: sigma in pixels, 1 where blurred, or blur without a unit."""
    if settings["truth"] == "masks":
        return read_mask(pair.truth, blurred_value=settings["blurred_value"]).astype(np.float32)
    if settings["truth"] == "relative":
        return read_relative(pair.truth)
    return read_sigma(pair.truth, table=settings.get("radius_table"))


def baseline_methods(names: Iterable[str]) -> dict[str, Method]:
    """Return baselines by name, see `METHODS`."""
    return {name: _of_grey(METHODS[name]) for name in names}


def _of_grey(measure: Callable[[np.ndarray], np.ndarray]) -> Method:
    def method(pair: ImagePair, grey: np.ndarray) -> np.ndarray:
        return measure(grey)

    return method


def peer_methods(peers: dict[str, dict]) -> dict[str, Method]:
    """Return methods that read other methods' maps.

    Parameters
    ----------
    peers : name -> `folder` of maps, named as the photographs (see `maps_by_stem`), and
        `high_means`, see `read_peer_map`

    Raises
    ------
    BenchmarkSetError
        If a folder is missing; when called, if a photograph has no map.
    """
    return {name: _peer_method(Path(peer["folder"]), peer["high_means"]) for name, peer in peers.items()}


def _peer_method(folder: Path, high_means: str) -> Method:
    if not folder.is_dir():
        raise BenchmarkSetError(f"no folder {str(folder)!r} of another method's maps")
    files = maps_by_stem(folder)

    def method(pair: ImagePair, grey: np.ndarray) -> np.ndarray:
        if pair.name not in files:
            raise BenchmarkSetError(f"{folder}: no map for {pair.name}")
        return read_peer_map(files[pair.name], grey.shape, high_means=high_means)

    return method


def method_units(peers: dict[str, dict]) -> dict[str, float]:
    """Return the methods whose maps have a unit, and up to which value one threshold is looked for.

    Parameters
    ----------
    peers : of `peer_methods`; those with `unit: pixels` are maps of sigma
    """
    return UNITS | {name: MAX_SIGMA_THRESHOLD for name, peer in peers.items() if peer.get("unit") == "pixels"}


def score_masks(
    methods: dict[str, Method], members: Iterable[ImagePair], *, blurred_value: str, units: dict[str, float] = UNITS
) -> dict[str, metrics.Detection]:
    """Score methods against masks, one photograph in memory at a time.

    Parameters
    ----------
    methods : name -> function of a pair and its grey photograph that gives an (H, W) map
    members : the pairs of the set
    blurred_value : see `read_mask`
    units : see `method_units`

    Raises
    ------
    BenchmarkSetError
        If a mask or a map has not the size of its photograph, or a map is not finite.
    """
    scores = {name: metrics.Detection(top=units.get(name)) for name in methods}
    for pair, grey in _grey_images(members):
        mask = _check_size(read_mask(pair.truth, blurred_value=blurred_value), grey, pair.truth)
        for name, values in _predictions(methods, pair, grey):
            scores[name].add(pair.name, values, mask)
    return scores


def score_sigma(
    methods: dict[str, Method],
    members: Iterable[ImagePair],
    settings: dict,
    *,
    units: dict[str, float] = UNITS,
) -> pd.DataFrame:
    """Score methods against sigma maps, or maps of relative blur: one row a method and photograph.

    Parameters
    ----------
    methods, members : see `score_masks`
    settings : of the set, see `read_truth`
    units : see `method_units`

    Raises
    ------
    BenchmarkSetError
        If a truth or a map has not the size of its photograph, a truth says nothing, or a map is not finite.

    Notes
    -----
    A method without a unit gets its best straight line to a sigma map of each photograph first (`fitted`), so that
    its row flatters it. Of relative blur, ranks alone count.
    """
    rows = []
    for pair, grey in _grey_images(members):
        truth = _check_size(read_truth(pair, settings), grey, pair.truth)
        if not np.isfinite(truth).any():
            raise BenchmarkSetError(f"{pair.truth}: no pixel of it has a known blur")
        relative = settings["truth"] == "relative"
        for name, values in _predictions(methods, pair, grey):
            fitted = not relative and name not in units
            score = _rank_score(values, truth) if relative else _sigma_score(values, truth, fitted=fitted)
            rows.append({"method": name, "image": pair.name, "fitted": fitted, **score})
    return pd.DataFrame(rows)


def _rank_score(values: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    known = np.isfinite(truth)
    return {"spearman": metrics.rank_correlation(values[known], truth[known])}


def _sigma_score(values: np.ndarray, truth: np.ndarray, *, fitted: bool) -> dict[str, float]:
    known = np.isfinite(truth)
    line = np.polyfit(values[known], truth[known], 1) if fitted else (1, 0)
    return metrics.sigma_errors(np.polyval(line, values), truth)


def merge_shards(parts: Sequence, *, truth: str) -> dict[str, metrics.Detection] | pd.DataFrame:
    """Join the scores of the shards of a set.

    Parameters
    ----------
    parts : of each shard the `state()` of every score of `score_masks`, by method, or the rows of
        `score_sigma` as dicts
    truth : of the set, `masks`, `sigma`, `embedded` or `relative`

    Returns
    -------
    what `score_masks` or `score_sigma` gives for the whole set, in the order of its photographs
    """
    if truth == "masks":
        return {name: metrics.Detection.merged([part[name] for part in parts]) for name in parts[0]}
    rows = pd.DataFrame([row for part in parts for row in part])
    return rows.sort_values("image", kind="stable", ignore_index=True)


def summarise(scores: dict[str, metrics.Detection] | pd.DataFrame, *, truth: str) -> pd.DataFrame:
    """Return one row a method, best first, of means over photographs; parameters as of `merge_shards`."""
    if isinstance(scores, dict):
        rows = [{"method": name, **score.summary()} for name, score in scores.items()]
        return pd.DataFrame(rows).sort_values("accuracy", ascending=False)
    means = scores.drop(columns="image").groupby(["method", "fitted"], as_index=False).mean()
    column, _, more_is_better = MEASURES[truth]
    return means.sort_values(column, ascending=not more_is_better)


def _predictions(methods: dict[str, Method], pair: ImagePair, grey: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every method's map of a photograph."""
    for name, method in methods.items():
        values = _check_size(method(pair, grey), grey, f"{name}, {pair.name}")
        if not np.isfinite(values).all():
            raise BenchmarkSetError(f"{name}, {pair.name}: a map holds finite numbers, this one NaN or infinity")
        yield name, values


def _check_size(values: np.ndarray, grey: np.ndarray, what: str | Path) -> np.ndarray:
    if values.shape != grey.shape:
        raise BenchmarkSetError(f"{what}: {values.shape} does not fit a photograph of {grey.shape}")
    return values


def _grey_images(members: Iterable[ImagePair]) -> Iterator[tuple[ImagePair, np.ndarray]]:
    for pair in members:
        yield pair, to_grey(read_for_measuring(pair.image))
