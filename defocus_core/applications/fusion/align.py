"""Align shots of one scene: geometry by ECC, exposure by a gain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_dtype, to_grey

MIN_PYRAMID_SIDE = 128  # least side in pixels of the coarsest level of registration
MAX_CORRECTION = 1.0  # pixels at a corner by which the last step of a registration may correct it
MAX_SCALE, MAX_ROTATION, MIN_OVERLAP = 4 / 3, 10.0, 0.5  # what shots of one stack may need; degrees
SHIFT_SIDE = 64  # least side in pixels of the images whose shift is looked for first
MIN_RESPONSE = 0.3  # of phase correlation
MIN_AGREEMENT = 0.8  # correlation; of four real stacks the least is .90
ECC_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-6)


@dataclass(frozen=True)
class Alignment:
    """A transform and a gain that align a shot to the reference.

    Parameters
    ----------
    matrix : (2, 3) float32, from a pixel (column, row) of the reference to that of the shot; None leaves
        the geometry
    gains : (C,) float32, factor of the light in each channel; None leaves the exposure
    """

    matrix: np.ndarray | None = None
    gains: np.ndarray | None = None

    def inside(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the pixels of the aligned shot that were inside its frame, (H, W) bool."""
        if self.matrix is None:
            return np.ones(shape, bool)
        y, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)
        seen = np.ones(shape, bool)
        for (across, down, shift), length in zip(self.matrix, shape[::-1], strict=True):
            place = across * x + down * y + shift
            seen &= (place >= -1) & (place <= length)
        return seen

    def apply(self, shot: np.ndarray) -> np.ndarray:
        """Return the aligned shot, in its own shape and dtype; pixels from outside its frame are mirrored."""
        if self.matrix is not None:
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            size = shot.shape[1::-1]
            shot = cv2.warpAffine(shot, self.matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        if self.gains is not None:
            matched = linear_to_srgb(srgb_to_linear(as_float(_clip_to_range(shot))) * self.gains)
            integer = np.issubdtype(shot.dtype, np.integer)
            shot = to_dtype(matched, shot.dtype) if integer else matched.astype(shot.dtype)
        return _clip_to_range(shot)


def find_alignment(
    shot: np.ndarray,
    reference: np.ndarray,
    *,
    register: bool,
    match_exposure: bool,
    before: tuple[np.ndarray, Alignment] | None = None,
) -> Alignment:
    """Align a shot to a reference of the same scene that is focused elsewhere.

    Parameters
    ----------
    shot, reference : (H, W) or (H, W, 3) RGB of one shape, uint8, uint16 or float in [0, 1]
    register : find the affine map between them
    match_exposure : find the gain of each channel, where neither is clipped
    before : the shot before in a stack and its alignment: focused nearer to this one than the reference is,
        it leads to it. The reference then corrects by a pixel at most; further off, it is too blurred

    Raises
    ------
    ValueError
        If the registration does not converge, or its result cannot be trusted: a rotation, a scale or an overlap
        that no stack has, or an overlap in which the two differ even where both are blurred.

    References
    ----------
    Evangelidis & Psarakis, TPAMI 2008 (ECC, as in OpenCV), from coarse to fine.
    """
    matrix = _find_affine(shot, reference, before) if register else None
    if matrix is not None:
        _check_plausible(matrix, shot, reference)
    gains = _exposure_gains(Alignment(matrix).apply(shot), reference) if match_exposure else None
    return Alignment(matrix, gains)


def _find_affine(shot: np.ndarray, reference: np.ndarray, before: tuple[np.ndarray, Alignment] | None) -> np.ndarray:
    shot, reference = to_grey(shot), to_grey(reference)
    if before is None or before[1].matrix is None:
        return _coarse_to_fine(shot, reference)
    led = _compose(before[1].matrix, _coarse_to_fine(shot, to_grey(before[0])))
    try:
        corrected = _run_ecc(shot, reference, led)
    except ValueError:
        return led
    height, width = shot.shape
    corners = np.array([[x, y, 1] for x in (0, width) for y in (0, height)])
    return corrected if np.abs(corners @ (corrected - led).T).max() <= MAX_CORRECTION else led


def _compose(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the affine map that takes the first step and then the second."""
    return (second @ np.vstack([first, [0, 0, 1]])).astype(np.float32)


def _coarse_to_fine(shot: np.ndarray, reference: np.ndarray) -> np.ndarray:
    pyramid = [(shot, reference)]
    while min(pyramid[-1][0].shape) >= 2 * MIN_PYRAMID_SIDE:
        pyramid.append((cv2.pyrDown(pyramid[-1][0]), cv2.pyrDown(pyramid[-1][1])))
    matrix = np.eye(2, 3, dtype=np.float32)
    matrix[:, 2] = _coarse_shift(*pyramid[-1]) / 2
    for moved, fixed in reversed(pyramid):
        matrix[:, 2] *= 2
        matrix = _run_ecc(moved, fixed, matrix)
    return matrix


def _coarse_shift(shot: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the shift, (2,) column and row, by phase correlation; none where the images have no clear one."""
    halvings = max(0, int(np.log2(min(shot.shape) / SHIFT_SIDE)))
    for _ in range(halvings):
        shot, reference = cv2.pyrDown(shot), cv2.pyrDown(reference)
    window = cv2.createHanningWindow(shot.shape[::-1], cv2.CV_32F)
    shift, response = cv2.phaseCorrelate(reference, shot, window)
    return np.asarray(shift, np.float32) * 2**halvings if response > MIN_RESPONSE else np.zeros(2, np.float32)


def _check_plausible(matrix: np.ndarray, shot: np.ndarray, reference: np.ndarray) -> None:
    """Raise ValueError unless an affine map is one that shots of one stack may have."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    rotation = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    alignment = Alignment(matrix)
    inside = alignment.inside(reference.shape[:2])
    overlap, agreement = float(inside.mean()), _agreement(alignment.apply(shot), reference, inside)
    if not (
        1 / MAX_SCALE <= scale <= MAX_SCALE
        and abs(rotation) <= MAX_ROTATION
        and overlap >= MIN_OVERLAP
        and agreement >= MIN_AGREEMENT
    ):
        raise ValueError(
            f"its registration cannot be trusted: scale {scale:.2f}, rotation {rotation:.0f} degrees, overlap "
            f"{100 * overlap:.0f} %, correlation {agreement:.2f}; leave it out, or register the shots beforehand"
        )


def _agreement(shot: np.ndarray, reference: np.ndarray, inside: np.ndarray) -> float:
    """Return the correlation of two images where both show something, blurred until their focus no longer shows."""
    sigma = max(reference.shape[:2]) / 100
    one, other = (cv2.GaussianBlur(to_grey(image), (0, 0), sigma)[inside] for image in (shot, reference))
    if min(one.std(), other.std()) < 1e-6:
        return 1.0  # nothing to compare
    return float(np.corrcoef(one, other)[0, 1])


def _run_ecc(shot: np.ndarray, reference: np.ndarray, start: np.ndarray) -> np.ndarray:
    try:
        return cv2.findTransformECC(reference, shot, start.copy(), cv2.MOTION_AFFINE, ECC_CRITERIA)[1]
    except cv2.error as error:
        raise ValueError("the shots could not be registered: they share too little") from error


def _exposure_gains(shot: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Fit the light of blurred copies, in which the focus no longer shows."""
    low, sigma = [], max(shot.shape[:2]) / 50
    for image in map(as_float, (shot, reference)):
        clipped = (image.reshape(*image.shape[:2], -1).max(2) > 0.98).astype(np.float32)
        light = cv2.GaussianBlur(srgb_to_linear(image), (0, 0), sigma)
        low.append((light, cv2.GaussianBlur(clipped, (0, 0), sigma)))
    usable = (low[0][1] < 0.05) & (low[1][1] < 0.05)
    usable |= not usable.any()
    ours, theirs = (light[usable].astype(np.float64).reshape(usable.sum(), -1) for light, _ in low)
    return ((ours * theirs).sum(0) / np.maximum((ours**2).sum(0), 1e-12)).astype(np.float32)


def _clip_to_range(image: np.ndarray) -> np.ndarray:
    """Clip what a cubic interpolation puts outside [0, 1]; integers saturate by themselves."""
    return image if np.issubdtype(image.dtype, np.integer) else np.clip(image, 0, 1)
