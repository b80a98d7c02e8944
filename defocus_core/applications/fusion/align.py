"""Align shots of one scene: geometry by a registration, exposure by a gain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.applications.fusion.homography import as_homography
from defocus_core.applications.fusion.registration import find_motion
from defocus_core.applications.fusion.view import View, make_view
from defocus_core.io.arrays import shrunken_size
from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_dtype

LOW_SIDE, MAX_CLIPPED = 300, 0.05  # longer side in pixels of copies whose light is compared, and what they may clip
LIGHT_OFFSET = 0.01  # that is added to both, of 0..1, before light is compared
DARK, MIN_LIT_FRACTION = 0.02, 0.05  # light below which nothing is compared, and least share of what is above
VISIBLE_LOG_RATIO = 0.03, 0.05  # of light, from which exposures begin to be matched, and are in full, by default


@dataclass(frozen=True)
class Alignment:
    """A transform and a gain that align a shot to the reference.

    Parameters
    ----------
    matrix : (2, 3), or (3, 3) of a homography, from a pixel (column, row) of the reference to that of the shot; None
        leaves the geometry
    gains : (C,) float32, factor of the light in each channel; None leaves the exposure
    """

    matrix: np.ndarray | None = None
    gains: np.ndarray | None = None

    def inside(self, shape: tuple[int, int], shot_shape: tuple[int, int] | None = None) -> np.ndarray:
        """Return the pixels of the aligned shot that were inside its frame, (H, W) bool.

        Parameters
        ----------
        shape : height and width of the reference
        shot_shape : of the shot; None is the reference's
        """
        if self.matrix is None:
            return np.ones(shape, bool)
        first, second, third = as_homography(self.matrix)
        height, width = shot_shape or shape
        rows = np.arange(shape[0])
        low, high = np.zeros(shape[0]), np.full(shape[0], shape[1] - 1.0)
        for along, length in ((first, width), (second, height)):
            for across, down, shift in (along + third, length * third - along):  # at least -1, and at most the length
                rest = down * rows + shift
                if abs(across) < 1e-12:
                    high[rest < 0] = -1
                elif across > 0:
                    low = np.maximum(low, np.ceil(-rest / across))
                else:
                    high = np.minimum(high, np.floor(-rest / across))
        columns = np.arange(shape[1])
        return (columns >= low[:, None]) & (columns <= high[:, None])

    def apply(self, shot: np.ndarray, shape: tuple[int, int] | None = None) -> np.ndarray:
        """Return the aligned shot, in its own dtype; pixels from outside its frame are mirrored.

        Parameters
        ----------
        shot : (H, W) or (H, W, 3), uint8, uint16 or float in [0, 1]
        shape : height and width of the reference; None is the shot's
        """
        if self.matrix is not None:
            size = (shape or shot.shape[:2])[::-1]
            matrix, mirrored = np.asarray(self.matrix, np.float64), cv2.BORDER_REFLECT_101
            warp = cv2.warpAffine if matrix.shape == (2, 3) else cv2.warpPerspective
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            shot = _clip_to_range(np.asarray(warp(shot, matrix, size, flags=flags, borderMode=mirrored)))
        if self.gains is not None:
            shot = _expose(_clip_to_range(shot), self.gains)
        return _clip_to_range(shot)


def find_alignment(
    shot: np.ndarray | View,
    reference: np.ndarray | View,
    *,
    register: bool,
    match_exposure: bool | None,
    before: tuple[np.ndarray | View, Alignment] | None = None,
) -> Alignment:
    """Align a shot to a reference of the same scene that is focused elsewhere.

    Parameters
    ----------
    shot, reference : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1], or their views
    register : find the map between them, see `find_motion`
    match_exposure : find the gain of each channel, where neither is clipped; None those that show (`find_gains`)
    before : the shot before in a stack and its alignment, see `find_motion`

    Raises
    ------
    ValueError
        If the registration does not converge, or cannot be trusted.
    """
    shot, reference = _as_view(shot), _as_view(reference)
    matrix = None
    if register:
        led = None if before is None or before[1].matrix is None else (_as_view(before[0]), before[1].matrix)
        matrix = find_motion(shot, reference, before=led)
    return Alignment(matrix, find_gains(shot, reference, matrix, match_exposure))


def _as_view(shot: np.ndarray | View) -> View:
    return shot if isinstance(shot, View) else make_view(shot)


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


def _expose(shot: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Multiply the light of a shot by a gain for each channel; integers go through a table."""
    if shot.dtype.kind == "f":
        return linear_to_srgb(srgb_to_linear(as_float(shot)) * gains).astype(shot.dtype)
    levels = np.arange(np.iinfo(shot.dtype).max + 1).astype(shot.dtype)
    tables = [to_dtype(linear_to_srgb(srgb_to_linear(as_float(levels[None])) * gain), shot.dtype)[0] for gain in gains]
    if shot.ndim == 2:
        return tables[0][shot]
    return np.dstack([table[shot[..., channel]] for channel, table in enumerate(tables)])


def _clip_to_range(image: np.ndarray) -> np.ndarray:
    """Clip what a cubic interpolation puts outside [0, 1]; integers saturate by themselves."""
    return image if np.issubdtype(image.dtype, np.integer) else np.clip(image, 0, 1)
