"""Find what moved between two shots of one scene: a similarity, an affine map or a homography."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.applications.fusion.homography import as_homography, corner_distance, map_points, simplify
from defocus_core.applications.fusion.motion_fit import fit_motion
from defocus_core.applications.fusion.view import View
from defocus_core.io.color import linear_to_srgb

MIN_PYRAMID_SIDE = 128  # least side in pixels of the coarsest level
MAX_CORRECTION = 1.0  # pixels at a corner by which the reference may correct what the shot before leads to
MAX_ERROR_RATIO = 2.0  # of the error that the reference then leaves to that of the shot before
MAX_SCALE, MAX_ROTATION, MIN_OVERLAP = 4 / 3, 10.0, 0.5  # what shots of one stack may need; degrees
MAX_STRETCH = 1.15  # of one direction against another, in the middle of the frame
START_SCALES = (1.0, 0.92, 1.08, 0.84, 1.19)  # tried on the coarsest level
CLEAR_START = 0.85  # correlation from which no other scale is tried
SHIFT_SIDE = 64  # least side in pixels of the images whose shift is looked for first
MIN_RESPONSE = 0.3  # of phase correlation
MIN_AGREEMENT = 0.8  # correlation; of four real stacks the least is .90
MAX_OTHER_AGREEMENT = 0.5  # correlation of two shots of different things
MIN_CONTRAST = 0.05  # standard deviation of grey levels of 0..1 from which two shots can show different things
MIN_MOTION_SIDE = 32  # pixels of a shot below which no motion is looked for
MIN_SEEN_MOTION = 0.5  # pixels of a small copy; registered pairs seem to move by .31 at most
MIN_EXPLAINED_RATIO = 4.0  # of what two small copies differ in before and after they are aligned; blur alone has 2.3
ECC_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-5)


def find_motion(shot: View, reference: View, *, before: tuple[View, np.ndarray] | None = None) -> np.ndarray:
    """Find the map from a pixel of a reference to that of a shot.

    The simplest model that explains the two is taken: a similarity (shift, rotation, scale), an affine map, or a
    homography, as the tilt of a camera needs.

    Parameters
    ----------
    shot, reference : see `make_view`
    before : the shot before in a stack and its map: focused nearer to this one than the reference is, it leads to it.
        The reference then corrects by a pixel of its view at most; further off, it is too blurred

    Returns
    -------
    (2, 3) float64, or (3, 3) of a homography, of pixels (column, row) of the shots themselves

    Raises
    ------
    ValueError
        If the registration does not converge, or its result cannot be trusted: a rotation, a scale, a stretch or an
        overlap that no stack has, or an overlap in which the two differ even where both are blurred.

    References
    ----------
    Evangelidis & Psarakis, TPAMI 2008 (ECC, as in OpenCV), from coarse to fine; then see `fit_motion`.
    """
    if before is None:
        matrix, _ = fit_motion(shot, reference, _coarse_to_fine(shot, reference))
    else:
        neighbour, led = before[0], _in_views(before[1], before[0], reference)
        between, error = fit_motion(shot, neighbour, _coarse_to_fine(shot, neighbour))
        matrix = _correct(shot, reference, between @ led, MAX_ERROR_RATIO * error)
    _check_plausible(matrix, shot, reference)
    return simplify(shot.to_shot @ matrix @ np.linalg.inv(reference.to_shot))


def seeming_motion(shot: View, other: View) -> float:
    """Return by how many pixels, about, the corners of a shot seem moved against another one.

    Small copies tell it in some milliseconds. Blur seems to move things too, but to move them back explains little.

    Returns
    -------
    pixels of the shot; 0 where no motion is clear, infinity where the two differ even where both are blurred
    """
    moved, fixed = shot.grey, other.grey
    if min(fixed.shape) < MIN_MOTION_SIDE:
        return 0.0
    while min(moved.shape) >= 2 * MIN_PYRAMID_SIDE:
        moved, fixed = cv2.pyrDown(moved), cv2.pyrDown(fixed)
    try:
        score, matrix = _run_ecc(moved, fixed, np.eye(2, 3))
    except ValueError:
        score, matrix = 0.0, np.eye(2, 3)
    if score < MIN_AGREEMENT:
        plain = min(linear_to_srgb(image).std() for image in (moved, fixed)) < MIN_CONTRAST
        differ = _agreement(moved, fixed, np.ones(fixed.shape, bool)) < MAX_OTHER_AGREEMENT
        return float("inf") if differ and not plain else 0.0
    apart, unexplained = corner_distance(matrix, np.eye(3), fixed.shape), 1 - np.corrcoef(moved.flat, fixed.flat)[0, 1]
    clear = apart > MIN_SEEN_MOTION and unexplained > MIN_EXPLAINED_RATIO * (1 - score)
    return apart * shot.shape[1] / fixed.shape[1] if clear else 0.0


def _in_views(matrix: np.ndarray, shot: View, reference: View) -> np.ndarray:
    found = np.linalg.inv(shot.to_shot) @ as_homography(matrix) @ reference.to_shot
    return found / found[2, 2]


def _coarse_to_fine(shot: View, reference: View) -> np.ndarray:
    """Return the affine map between two views, (3, 3), by ECC on a pyramid."""
    pyramid = [(shot.grey, reference.grey)]
    while min(*pyramid[-1][0].shape, *pyramid[-1][1].shape) >= 2 * MIN_PYRAMID_SIDE:
        pyramid.append((cv2.pyrDown(pyramid[-1][0]), cv2.pyrDown(pyramid[-1][1])))
    matrix = _find_start(*pyramid[-1])
    for level in range(len(pyramid) - 1, -1, -1):
        moved, fixed = pyramid[level]
        if level or len(pyramid) == 1:  # the finest is left to the fit of models
            shown = None if shot.shown is None else cv2.resize(shot.shown.astype(np.uint8), moved.shape[::-1])
            matrix = _run_ecc(moved, fixed, matrix, shown)[1]
        matrix[:, 2] *= 2 if level else 1
    return as_homography(matrix)


def _find_start(shot: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the affine map of the best of a few scales on the coarsest level, (2, 3) float32."""
    found = []
    for scale in START_SCALES:
        try:
            found.append(_run_ecc(shot, reference, _start_of_scale(shot, reference, scale)))
        except ValueError:
            continue
        if scale == 1 and found[0][0] > CLEAR_START:
            break
    if not found:
        raise ValueError("the shots could not be registered: they share too little")
    return max(found, key=lambda pair: pair[0])[1]


def _start_of_scale(shot: np.ndarray, reference: np.ndarray, scale: float) -> np.ndarray:
    (height, width), (rows, columns) = reference.shape, shot.shape
    centred = np.array(
        [[scale, 0, (columns - 1 - scale * (width - 1)) / 2], [0, scale, (rows - 1 - scale * (height - 1)) / 2]],
        np.float32,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(shot, centred, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    centred[:, 2] += scale * _coarse_shift(moved, reference)
    return centred


def _coarse_shift(shot: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the shift, (2,) column and row, by phase correlation; none where the images have no clear one."""
    if min(shot.shape) < 2:
        raise ValueError("a shot a pixel wide or high has no shift that can be told")
    halvings = max(0, int(np.log2(min(shot.shape) / SHIFT_SIDE)))
    for _ in range(halvings):
        shot, reference = cv2.pyrDown(shot), cv2.pyrDown(reference)
    window = cv2.createHanningWindow(shot.shape[::-1], cv2.CV_32F)
    shift, response = cv2.phaseCorrelate(reference, shot, window)
    return np.asarray(shift, np.float32) * 2**halvings if response > MIN_RESPONSE else np.zeros(2, np.float32)


def _run_ecc(
    shot: np.ndarray, reference: np.ndarray, start: np.ndarray, shown: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Return the correlation that ECC reaches, and its affine map."""
    try:
        score, matrix = cv2.findTransformECC(
            reference, shot, start.astype(np.float32), cv2.MOTION_AFFINE, ECC_CRITERIA, inputMask=shown
        )
    except cv2.error as error:
        raise ValueError("the shots could not be registered: they share too little") from error
    return float(score), matrix


def _correct(shot: View, reference: View, led: np.ndarray, max_error: float) -> np.ndarray:
    """Return a map corrected by the reference, where it needs little and the reference shows the same."""
    try:
        corrected, error = fit_motion(shot, reference, led)
    except ValueError:
        return led
    apart = corner_distance(corrected, led, reference.grey.shape)
    return corrected if apart <= MAX_CORRECTION and error <= max_error else led


def _check_plausible(matrix: np.ndarray, shot: View, reference: View) -> None:
    """Raise ValueError unless a map between views is one that shots of one stack may have."""
    height, width = reference.grey.shape
    centre = np.array([[width / 2, width / 2 + 1, width / 2], [height / 2, height / 2, height / 2 + 1], [1, 1, 1]])
    spots = map_points(matrix, centre)
    across, down = spots[:, 1] - spots[:, 0], spots[:, 2] - spots[:, 0]
    longest, shortest = np.linalg.svd(np.stack([across, down]), compute_uv=False).tolist()
    scale, stretch = float(np.sqrt(longest * shortest)), longest / max(shortest, 1e-9)
    rotation = float(np.degrees(np.arctan2(across[1], across[0])))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpPerspective(shot.grey, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    seen = np.ones(shot.grey.shape, np.uint8) if shot.shown is None else shot.shown.astype(np.uint8)
    inside = cv2.warpPerspective(seen, matrix, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP) > 0
    if reference.shown is not None:
        inside &= reference.shown
    overlap, agreement = float(inside.mean()), _agreement(moved, reference.grey, inside)
    if not (
        1 / MAX_SCALE <= scale <= MAX_SCALE
        and stretch <= MAX_STRETCH
        and abs(rotation) <= MAX_ROTATION
        and overlap >= MIN_OVERLAP
        and agreement >= MIN_AGREEMENT
    ):
        raise ValueError(
            f"its registration cannot be trusted: scale {scale:.2f}, stretch {stretch:.2f}, rotation {rotation:.0f} "
            f"degrees, overlap {100 * overlap:.0f} %, correlation {agreement:.2f}; leave it out, or register the shots "
            "beforehand"
        )


def _agreement(shot: np.ndarray, reference: np.ndarray, inside: np.ndarray) -> float:
    """Return the correlation of two images where both show something, blurred until their focus no longer shows."""
    if not inside.any():
        return 0.0
    sigma = max(reference.shape[:2]) / 100
    one, other = (cv2.GaussianBlur(linear_to_srgb(image), (0, 0), sigma)[inside] for image in (shot, reference))
    if min(one.std(), other.std()) < 1e-6:
        return 1.0  # nothing to compare
    return float(np.corrcoef(one, other)[0, 1])
