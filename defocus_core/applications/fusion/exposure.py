"""The exposure of shots: gains that match it, and whether it differs where seams would show."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.applications.fusion.align import Alignment
from defocus_core.applications.fusion.decide import FusionConfig, flat_ground
from defocus_core.applications.fusion.homography import as_homography
from defocus_core.applications.fusion.view import View
from defocus_core.io.arrays import shrunken_size
from defocus_core.io.color import srgb_to_linear

LOW_SIDE, MAX_CLIPPED = 300, 0.05  # longer side in pixels of copies whose light is compared, and what they may clip
LIGHT_OFFSET = 0.01  # that is added to both, of 0..1, before light is compared
DARK, MIN_LIT_FRACTION = 0.02, 0.05  # light below which nothing is compared, and least share of what is above
VISIBLE_LOG_RATIO = 0.03, 0.05  # of light, from which exposures begin to be matched, and are in full, by default
VISIBLE_GAP = 3 / 255  # of grey levels of 0..1, from which a seam in flat ground shows
EXPOSURE_SIDE = 400  # longer side in pixels of the copies by which flat ground is compared
EXPOSURE_SIGMA = 4.0  # pixels of these copies, of the Gaussian over which it is
MIN_FLAT_FRACTION = 0.05  # of the frame, from which flat ground tells exposures apart


def find_gains(
    shot: View, reference: View, matrix: np.ndarray | None, match_exposure: bool | None
) -> np.ndarray | None:
    """Find the gain of each channel that gives a shot the light of a reference.

    Blurred copies are compared, in which the focus no longer shows, where both show something and neither is clipped.

    Parameters
    ----------
    shot, reference : see `make_view`
    matrix : of an `Alignment`
    match_exposure : whether gains are wanted; None if they are only where light differs visibly. They then fade in
        from a change of 3 % to one of 5 %, so that shots of nearly the same exposure are treated alike

    Returns
    -------
    (C,) float32, factor of the light of the shot in each channel, 1 of a channel that is black; None where gains are
    not wanted, and of a shot that is black
    """
    if match_exposure is False:
        return None
    ours, theirs = _compare_light(shot, reference, matrix)
    gains = (ours * theirs).sum(0) / np.maximum((ours**2).sum(0), 1e-12)
    wanted = 1.0 if match_exposure else _visibility(ours, theirs)
    if not (wanted and gains.any()):
        return None
    return np.where(gains > 0, gains, 1).astype(np.float32) ** np.float32(wanted)


def _visibility(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Tell from 0 to 1 how far light differs visibly: in one direction, in three quarters of what is not dark.

    Blur spreads light from where it is to where it is not, and so never changes it in one direction.
    """
    lit = np.maximum(ours, theirs).mean(1) > DARK
    if lit.mean() < MIN_LIT_FRACTION:
        return 0.0
    ratios = np.log((theirs[lit] + LIGHT_OFFSET) / (ours[lit] + LIGHT_OFFSET))
    low, high = np.quantile(ratios, (0.25, 0.75), axis=0)
    least, full = VISIBLE_LOG_RATIO
    return float(np.clip((max(low.max(), -high.min()) - least) / (full - least), 0, 1))


def _compare_light(shot: View, reference: View, matrix: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the light of blurred copies of an aligned shot and of the reference where both show it, (N, C) each."""
    if matrix is not None:
        matrix = np.linalg.inv(shot.to_shot) @ as_homography(matrix) @ reference.to_shot
    between, shape = Alignment(matrix), reference.grey.shape
    ours, clipped = _low_light(between.apply(shot.pixels, shape))
    theirs, clipped_there = _low_light(reference.pixels)
    shared = between.inside(shape, shot.grey.shape)
    if shot.shown is not None:
        shared &= between.apply(shot.shown.astype(np.float32), shape) > 0.99
    if reference.shown is not None:
        shared &= reference.shown
    shared = cv2.resize(shared.astype(np.float32), clipped.shape[::-1], interpolation=cv2.INTER_AREA) > 0.99
    usable = (clipped < MAX_CLIPPED) & (clipped_there < MAX_CLIPPED) & shared
    usable |= not usable.any()
    pixels = int(usable.sum())
    ours, theirs = (light[usable].astype(np.float64).reshape(pixels, -1) for light in (ours, theirs))
    return ours, theirs


def _low_light(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the light of a small, blurred copy, (h, w) or (h, w, C), and how much of it is clipped, (h, w)."""
    size = shrunken_size(image.shape, max(1.0, max(image.shape[:2]) / LOW_SIDE))
    clipped = (image.reshape(*image.shape[:2], -1).max(2) > 0.98).astype(np.float32)
    small = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (srgb_to_linear(image), clipped))
    light, share = (cv2.GaussianBlur(plane, (0, 0), max(size) / 50) for plane in small)
    return light, share


def exposures_differ(
    shot: np.ndarray, other: np.ndarray, shown: np.ndarray, config: FusionConfig = FusionConfig()
) -> bool:
    """Tell whether two shots differ visibly in three quarters of their flat ground.

    What noise and blur take from one place to another is no exposure, so the two are compared over some pixels.

    Parameters
    ----------
    shot, other : of `focus_measures`
    shown : (H, W) bool, where both shots show something, at the size of the shots
    """
    every = max(1, max(shot[0].shape) // EXPOSURE_SIDE)
    flat = flat_ground(shot, other, config)[::every, ::every]
    size = flat.shape[::-1]
    flat &= cv2.resize(shown.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    apart = cv2.resize(shot[0] - other[0], size, interpolation=cv2.INTER_AREA)
    gap = np.abs(cv2.GaussianBlur(apart, (0, 0), EXPOSURE_SIGMA))
    return bool(flat.mean() > MIN_FLAT_FRACTION and np.quantile(gap[flat], 0.25) > VISIBLE_GAP)
