"""The blur of a photograph where it matters: a small copy of all of it, full size where it may be sharpest."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.io.color import stretch_contrast, to_grey
from defocus_core.maps.config import MapConfig
from defocus_core.maps.detail import has_detail
from defocus_core.maps.pipeline import estimate_with_certainty
from defocus_core.maps.pyramid import SURE_CERTAINTY
from defocus_core.networks.classifier import Classifier

MAX_COPY_PIXELS = 350_000  # of a copy that is measured whole; a sixteenth of the photograph where that is more
TILE_SIDE = 256  # pixels of a tile at full size
TILES_PER_ROOT = 4  # tiles for a photograph of 1 megapixel; their number grows with its side
MIN_COPY_SIGMA = 0.6  # pixels of the copy, below which it does not tell blurred from sharp
_AS_IT_IS = MapConfig(stretch_contrast=False, judge_oversampling=False)
_ONE_SIZE = MapConfig(stretch_contrast=False, min_pyramid_side=0)


@dataclass(frozen=True)
class SampledMap:
    """The blur of a photograph on a grid, and the parts that were looked at in full size.

    Parameters
    ----------
    sigma : (h, w) float32, pixels of the photograph
    certainty : (h, w) float32 in [0, 1], of the network's answer
    known : (h, w) bool, where sigma was measured; elsewhere it is that of places that look alike in the copy
    detail : (h, w) bool, where there is more than noise, and the photograph is asked for
    cell : pixels of the photograph to one of the grid
    grey : (H, W) float32 in [0, 1], the photograph
    """

    sigma: np.ndarray
    certainty: np.ndarray
    known: np.ndarray
    detail: np.ndarray
    cell: int
    grey: np.ndarray

    @property
    def evident(self) -> np.ndarray:
        """Where something tells of blur, (h, w) bool."""
        return self.certainty > SURE_CERTAINTY


def sample_map(
    image: np.ndarray, *, model: Classifier | str | None = None, within: np.ndarray | None = None
) -> SampledMap:
    """Measure the blur of a photograph, in full size only where a smaller copy leaves open how sharp it is.

    Parameters
    ----------
    image, model : as for `estimate`
    within : (H, W) bool, what of it is asked for; the certainty is 0 elsewhere
    """
    grey = to_grey(stretch_contrast(image))
    cell = _cell_of(grey.shape)
    if cell == 1:
        sigma, certainty = estimate_with_certainty(grey, model=model, refine=False, config=_AS_IT_IS)
        detail = _detail(grey, within)
        return SampledMap(sigma, certainty * detail, np.ones(sigma.shape, bool), detail, cell, grey)
    copy = cv2.resize(grey, (grey.shape[1] // cell, grey.shape[0] // cell), interpolation=cv2.INTER_AREA)
    own, certainty = estimate_with_certainty(copy, model=model, refine=False, config=_AS_IT_IS)
    detail = _detail(copy, None if within is None else _any_in_cells(within, cell, own.shape))
    certainty = certainty * detail
    sigma, known = cell * np.sqrt(np.maximum(own**2 - np.float32(1 / 12), 0)), own >= MIN_COPY_SIGMA
    for rows, columns in _choose_tiles(grey, sigma, certainty > SURE_CERTAINTY, cell):
        inside = slice(rows.start * cell, rows.stop * cell), slice(columns.start * cell, columns.stop * cell)
        tile = estimate_with_certainty(grey[inside], model=model, refine=False, config=_ONE_SIZE)
        shape = rows.stop - rows.start, columns.stop - columns.start
        sigma[rows, columns], sure = (_at_centres(values, cell, shape) for values in tile)
        certainty[rows, columns] = sure * detail[rows, columns]
        known[rows, columns] = True
    alike = sigma[known & (certainty > SURE_CERTAINTY) & (own < MIN_COPY_SIGMA)]
    if alike.size:  # what the copy leaves open and was not looked at
        sigma[~known] = np.median(alike)
    return SampledMap(sigma, certainty, known, detail, cell, grey)


def _detail(grey: np.ndarray, within: np.ndarray | None) -> np.ndarray:
    """Return where an image has detail and is asked for, (h, w) bool."""
    detail = has_detail(grey)
    return detail if within is None else detail & within


def _at_centres(values: np.ndarray, cell: int, shape: tuple[int, int]) -> np.ndarray:
    """Return the values at the middle of each cell of a grid, (h, w)."""
    return values[cell // 2 :: cell, cell // 2 :: cell][: shape[0], : shape[1]]


def _any_in_cells(mask: np.ndarray, cell: int, shape: tuple[int, int]) -> np.ndarray:
    """Return the cells of a grid in which a mask is true anywhere, (h, w) bool."""
    whole = mask[: shape[0] * cell, : shape[1] * cell]
    return np.asarray(whole.reshape(shape[0], cell, shape[1], cell).any((1, 3)))


def _cell_of(shape: tuple[int, int]) -> int:
    """Return how many times smaller the copy is, a power of two."""
    pixels, cell = shape[0] * shape[1], 1
    while pixels / cell**2 > max(MAX_COPY_PIXELS, pixels / 16) and min(shape) >= 2 * TILE_SIDE:
        cell *= 2
    return cell


def _choose_tiles(grey: np.ndarray, sigma: np.ndarray, evident: np.ndarray, cell: int) -> list[tuple[slice, slice]]:
    """Return the tiles to look at, in cells of the grid: the likeliest to be sharpest, and some of those like them.

    Tiles are ranked by the blur that the copy finds in them, and where it cannot tell, by their detail in full size.
    """
    side = TILE_SIDE // cell
    tiles = [
        (slice(top, top + side), slice(left, left + side))
        for top in _starts(sigma.shape[0], side)
        for left in _starts(sigma.shape[1], side)
    ]
    least = cell * MIN_COPY_SIGMA
    blur = [_sharpest_of(sigma[tile][evident[tile]], least) for tile in tiles]
    detail = cv2.resize(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), sigma.shape[::-1], interpolation=cv2.INTER_AREA)
    order = np.lexsort((np.array([-detail[tile].mean() for tile in tiles]), np.round(4 * np.log2(blur))))
    order = order[np.isfinite(np.array(blur)[order])]
    count = round(TILES_PER_ROOT * np.sqrt(grey.size / 1e6))
    first, rest = order[: count - count // 2], order[count - count // 2 :]
    open_ones = [index for index in rest if blur[index] <= least]
    spread = open_ones[:: max(1, -(-len(open_ones) // max(count // 2, 1)))]
    return [tiles[index] for index in [*first, *spread]]


def _starts(length: int, side: int) -> list[int]:
    """Return where tiles of a side begin that cover a length, the last one flush with its end."""
    return sorted({*range(0, max(length - side, 0) + 1, side), max(length - side, 0)})


def _sharpest_of(sigma: np.ndarray, least: float) -> float:
    """Return the least sigma of a tile that the copy tells, infinity where it tells nothing."""
    return max(least, float(np.quantile(sigma, 0.05))) if sigma.size > 0 else np.inf
