"""Score a photograph: how sharp its sharpest part is, where that is, and what blurs it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.applications.score.motion import ROUND, Motion, directional_blur
from defocus_core.applications.score.sampling import SampledMap, sample_map
from defocus_core.maps.focus import SHARPEST_FRACTION, in_focus
from defocus_core.networks.classifier import Classifier

MIN_EVIDENCE = 0.002  # share of the pixels that must tell of blur for a photograph to have a score
BASE_FRACTION = 0.1  # of the pixels that tell of blur; the largest sigma of the sharpest such share is the base
MOTION_SIDE = 448  # pixels, of the window in which motion is looked for
MIN_ASKED_FRACTION = 0.25  # of that window, for motion alone to tell of what is asked for
Box = tuple[int, int, int, int]
NAN = float("nan")


@dataclass(frozen=True)
class Score:
    """How sharp a photograph is.

    Parameters
    ----------
    sharpest_sigma : sigma in pixels at the end of the sharpest hundredth of all pixels that tell of blur, along the
        direction of most blur; NaN where nothing tells of blur. Where motion alone does, its sigma
    x, y : where most of that hundredth is, pixels from the upper left corner, or else most detail; NaN likewise
    in_focus_fraction : share, of the pixels that tell of blur, that is in focus
    median_sigma_in_focus : pixels; NaN where nothing is in focus
    base_sigma : sigma in pixels that nine tenths of the pixels that tell of blur exceed: what underlies everything; NaN
        where motion alone tells of blur
    evidence : share of the pixels that tell of blur, other than that of motion
    blur : `round`, `directional` (as of motion), or `unknown` where nothing tells of blur
    motion_sigma : standard deviation in pixels along the direction of a directional blur, else 0
    motion_angle : of that direction, degrees counter-clockwise from the rows, in [0, 180); NaN where there is none
    pixel_size : micrometres from one pixel to the next, None where unknown
    """

    sharpest_sigma: float
    x: float
    y: float
    in_focus_fraction: float
    median_sigma_in_focus: float
    base_sigma: float
    evidence: float
    blur: str
    motion_sigma: float = 0.0
    motion_angle: float = NAN
    pixel_size: float | None = None

    @property
    def sharpest_um(self) -> float:
        """`sharpest_sigma` in micrometres, NaN where the pixel size is not known."""
        return self.sharpest_sigma * (self.pixel_size or NAN)


def score(
    image: np.ndarray,
    *,
    model: Classifier | str | None = None,
    mask: np.ndarray | None = None,
    box: Box | None = None,
    pixel_size: float | None = None,
) -> Score:
    """Score how sharp a photograph is.

    Parameters
    ----------
    image, model : as for `estimate`
    mask : (H, W), nonzero where the subject is; None is everywhere
    box : x, y, width and height in pixels of the subject, in place of a mask
    pixel_size : micrometres from one pixel to the next

    Returns
    -------
    Score, whose `sharpest_sigma` is the one number to sort photographs by; the smaller, the sharper

    Raises
    ------
    ValueError
        If the image is none that `estimate` takes, mask and box are both given, the mask does not fit or is empty,
        or the box does not lie in the image.

    Notes
    -----
    A photograph of more than 350,000 pixels, 512 or more on either side, is measured in a smaller copy, and in full
    size in some tiles: those that are likeliest the sharpest, and a sample of those whose blur the copy does not tell.

    Examples
    --------
    >>> from skimage import data
    >>> from defocus_core.blur.kernels import gaussian_blur
    >>> sharp = data.astronaut()[50:250, 150:350] / np.float32(255)
    >>> bool(score(sharp).sharpest_sigma < 0.6 < 1.5 < score(gaussian_blur(sharp, 2)).sharpest_sigma)
    True
    >>> score(np.zeros((40, 40))).evidence
    0.0
    """
    return measure(image, model=model, within=region_of(image.shape[:2], mask=mask, box=box), pixel_size=pixel_size)[0]


def measure(
    image: np.ndarray,
    *,
    model: Classifier | str | None = None,
    within: np.ndarray | None = None,
    pixel_size: float | None = None,
) -> tuple[Score, np.ndarray]:
    """Score a photograph, and tell which parts are in focus.

    Parameters
    ----------
    image, model, pixel_size : as for `score`
    within : (H, W) bool, where the subject is

    Returns
    -------
    Score, and (h, w) bool on a grid of the photograph's own or half, a quarter, ... of its size: in focus, and evident
    """
    sampled = sample_map(image, model=model, within=within)
    evident = sampled.evident
    evidence = min(float(evident.mean()) / _fraction_of(within), 1.0)
    if evidence < MIN_EVIDENCE:
        return _without_evidence(sampled, evidence, within, pixel_size), np.zeros_like(evident)
    limit, base = np.quantile(sampled.sigma[evident], (SHARPEST_FRACTION, BASE_FRACTION))
    sharpest = evident & sampled.known & (sampled.sigma <= limit)
    row, column = _densest(sharpest)
    motion = _motion_in(sampled, _window_around(sampled, row, column))
    sigma = np.maximum(sampled.sigma, np.float32(motion.sigma))  # nothing is sharper than what is sharpest
    focused = (in_focus(sigma, certainty=sampled.certainty) > 0.5) & evident
    return Score(
        sharpest_sigma=max(float(limit), motion.sigma),
        x=_centre(column, sampled.cell),
        y=_centre(row, sampled.cell),
        in_focus_fraction=float(focused.sum() / evident.sum()),
        median_sigma_in_focus=float(np.median(sigma[focused])) if focused.any() else NAN,
        base_sigma=float(base),
        evidence=evidence,
        blur="directional" if motion.sigma else "round",
        motion_sigma=motion.sigma,
        motion_angle=motion.angle,
        pixel_size=pixel_size,
    ), focused


def region_of(shape: tuple[int, ...], *, mask: np.ndarray | None = None, box: Box | None = None) -> np.ndarray | None:
    """Return where the subject is, (H, W) bool; None is everywhere. Parameters and errors are those of `score`."""
    if mask is not None and box is not None:
        raise ValueError("the subject is given by a mask or by a box, not by both")
    if box is not None:
        mask = _mask_of(box, shape)
    if mask is None:
        return None
    if mask.shape != tuple(shape):
        raise ValueError(f"a mask of {mask.shape} does not fit an image of {tuple(shape)}; give one of its size")
    if not mask.any():
        raise ValueError("the mask is 0 everywhere; it is nonzero where the subject is")
    return mask.astype(bool)


def _mask_of(box: Box, shape: tuple[int, ...]) -> np.ndarray:
    """Return where a box is, (H, W) bool; raise ValueError unless it lies in an image of a shape."""
    x, y, width, height = box
    mask = np.zeros(shape, bool)
    mask[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = True
    if not mask.any() or np.count_nonzero(mask) < width * height:
        lies = "reaches beyond" if mask.any() else "lies outside"
        raise ValueError(
            f"the box {x},{y},{width},{height} {lies} an image of {shape[1]}x{shape[0]} pixels; give one inside it"
        )
    return mask


def _without_evidence(
    sampled: SampledMap, evidence: float, within: np.ndarray | None, pixel_size: float | None
) -> Score:
    """Score a photograph of which the network of the map is not sure: long motion leaves nothing as a lens does."""
    motion, x, y = ROUND, NAN, NAN
    if sampled.detail.mean() >= MIN_EVIDENCE * _fraction_of(within):
        row, column = _densest(sampled.detail)
        window = _window_around(sampled, row, column)
        if _fraction_of(within, window) >= MIN_ASKED_FRACTION:
            motion, x, y = _motion_in(sampled, window), _centre(column, sampled.cell), _centre(row, sampled.cell)
    if not motion.sigma:
        return Score(NAN, NAN, NAN, NAN, NAN, NAN, evidence, "unknown", pixel_size=pixel_size)
    return Score(
        *(motion.sigma, x, y, 0.0, NAN, NAN, evidence, "directional"),
        motion_sigma=motion.sigma,
        motion_angle=motion.angle,
        pixel_size=pixel_size,
    )


def _centre(place: int, cell: int) -> float:
    """Return the middle of a cell of the grid, pixels of the photograph."""
    return (place + 0.5) * cell - 0.5


def _densest(inside: np.ndarray) -> tuple[int, int]:
    """Return row and column of the pixel inside that has the most others of them around it."""
    side = max(3, min(inside.shape) // 16)
    crowd = cv2.boxFilter(inside.astype(np.float32), -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    row, column = np.unravel_index(np.argmax(np.where(inside, crowd, -1)), inside.shape)
    return int(row), int(column)


def _fraction_of(within: np.ndarray | None, window: tuple[slice, slice] = (slice(None), slice(None))) -> float:
    """Return which share of a photograph, or of a window in it, is asked for."""
    return 1.0 if within is None else float(within[window].mean())


def _motion_in(sampled: SampledMap, window: tuple[slice, slice]) -> Motion:
    """Measure the directional blur in a window of the photograph."""
    part, cell = sampled.grey[window], sampled.cell
    rows, columns = (slice(side.start // cell, side.stop // cell) for side in window)
    detail = sampled.detail[rows, columns].astype(np.uint8)
    return directional_blur(part, cv2.resize(detail, part.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _window_around(sampled: SampledMap, row: int, column: int) -> tuple[slice, slice]:
    """Return the window of the photograph around a place of the grid in which motion is looked for."""
    cell, side = sampled.cell, MOTION_SIDE // sampled.cell
    rows, columns = (
        _window(place, side, length) for place, length in zip((row, column), sampled.detail.shape, strict=True)
    )
    return slice(rows.start * cell, rows.stop * cell), slice(columns.start * cell, columns.stop * cell)


def _window(centre: int, side: int, length: int) -> slice:
    """Return a range of a side, or of all there is, around a place and inside a length."""
    start = min(max(centre - side // 2, 0), max(length - side, 0))
    return slice(start, min(start + side, length))
