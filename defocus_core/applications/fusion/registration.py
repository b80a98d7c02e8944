"""Find what moved between two shots of one scene: a similarity, an affine map or a homography."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.io.color import as_float, linear_to_srgb, srgb_to_linear, to_grey

MAX_VIEW_SIDE = 1200  # longer side in pixels of the copies that are compared
MIN_PYRAMID_SIDE = 128  # least side in pixels of the coarsest level
MAX_CORRECTION = 1.0  # pixels at a corner by which the reference may correct what the shot before leads to
MAX_ERROR_RATIO = 2.0  # of the error that the reference then leaves to that of the shot before
MAX_SCALE, MAX_ROTATION, MIN_OVERLAP = 4 / 3, 10.0, 0.5  # what shots of one stack may need; degrees
START_SCALES = (1.0, 0.92, 1.08, 0.84, 1.19)  # tried on the coarsest level
CLEAR_START = 0.85  # correlation from which no other scale is tried
SHIFT_SIDE = 64  # least side in pixels of the images whose shift is looked for first
MIN_RESPONSE = 0.3  # of phase correlation
MIN_AGREEMENT = 0.8  # correlation; of four real stacks the least is .90
ECC_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-5)
MODELS = {"similarity": 4, "affine": 6, "homography": 8}  # and their parameters, the simplest first
MIN_DIFFERENCE = 0.15  # pixels at a corner from which a model is worth more parameters
EDGE_POINTS = 60_000  # of the strongest gradient, by which a model is fitted
POINTS_PER_OBSERVATION = 64  # neighbours tell the same: so many points count as one in the choice of a model
MATCH_SIGMA = 3.0  # pixels of blur before a fit, over which a difference in focus shows less
MAX_STEPS, MIN_STEP = 15, 0.005  # of a fit; pixels at the corners


@dataclass(frozen=True)
class View:
    """A copy of a shot, small enough to be registered quickly.

    Parameters
    ----------
    pixels : (h, w) or (h, w, 3) float32 in [0, 1]
    grey : (h, w) float32, of linear light: there, blur moves no edge
    shape : height and width of the shot
    shown : (h, w) bool, where the shot shows something; None is everywhere
    """

    pixels: np.ndarray
    grey: np.ndarray
    shape: tuple[int, int]
    shown: np.ndarray | None = None

    @property
    def to_shot(self) -> np.ndarray:
        """The map from a pixel (column, row) of the copy to that of the shot, (3, 3)."""
        across, down = self.shape[1] / self.grey.shape[1], self.shape[0] / self.grey.shape[0]
        return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])


def make_view(image: np.ndarray, shown: np.ndarray | None = None) -> View:
    """Shrink a shot to a longer side of 1200 pixels.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    shown : (H, W) bool, where it shows something; None is everywhere
    """
    shape = image.shape[:2]
    factor = max(shape) / MAX_VIEW_SIDE
    if factor > 1:
        size = (round(shape[1] / factor), round(shape[0] / factor))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        shown = None if shown is None else cv2.resize(shown.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    pixels = as_float(image)
    return View(pixels, to_grey(srgb_to_linear(pixels)), (shape[0], shape[1]), shown)


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
        If the registration does not converge, or its result cannot be trusted: a rotation, a scale or an overlap
        that no stack has, or an overlap in which the two differ even where both are blurred.

    References
    ----------
    Evangelidis & Psarakis, TPAMI 2008 (ECC, as in OpenCV), from coarse to fine; Baker & Matthews, IJCV 2004 (inverse
    compositional fit); Schwarz, Annals of Statistics 1978 (choice of the model).
    """
    if before is None:
        matrix, _ = _fit_models(shot, reference, _coarse_to_fine(shot, reference))
    else:
        neighbour, led = before[0], _in_views(before[1], before[0], reference)
        between, error = _fit_models(shot, neighbour, _coarse_to_fine(shot, neighbour))
        matrix = _correct(shot, reference, between @ led, MAX_ERROR_RATIO * error)
    _check_plausible(matrix, shot, reference)
    return simplify(shot.to_shot @ matrix @ np.linalg.inv(reference.to_shot))


def as_homography(matrix: np.ndarray) -> np.ndarray:
    """Return an affine map or a homography as (3, 3) float64."""
    matrix = np.asarray(matrix, np.float64)
    return np.vstack([matrix, [0, 0, 1]]) if matrix.shape == (2, 3) else matrix / matrix[2, 2]


def simplify(matrix: np.ndarray) -> np.ndarray:
    """Return a homography, as (2, 3) where it is affine."""
    matrix = matrix / matrix[2, 2]
    return matrix[:2] if np.abs(matrix[2, :2]).max() < 1e-12 else matrix


def frame_corners(shape: tuple[int, int]) -> np.ndarray:
    """Return the corners of a frame, (3, 4): columns, rows, ones."""
    height, width = shape
    return np.array([[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1], [1, 1, 1, 1]], np.float64)


def map_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return where a map takes points, (2, N) of (3, N)."""
    found = as_homography(matrix) @ points
    return found[:2] / found[2]


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
        corrected, error = _fit_models(shot, reference, led)
    except (ValueError, np.linalg.LinAlgError):
        return led
    corners = frame_corners(reference.grey.shape)
    apart = np.abs(map_points(corrected, corners) - map_points(led, corners)).max()
    return corrected if apart <= MAX_CORRECTION and error <= max_error else led


def _fit_models(shot: View, reference: View, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit each model, and return the map of the one with the least Bayesian information criterion, and its error."""
    edges = _Edges(shot, reference)
    observations, corners = max(16.0, edges.count / POINTS_PER_OBSERVATION), frame_corners(reference.grey.shape)
    best, least = (start, np.inf), np.inf
    for model, parameters in MODELS.items():
        matrix, error = edges.fit(model, start)
        criterion = observations * np.log(max(error, 1e-12)) + parameters * np.log(observations)
        apart = np.abs(map_points(matrix, corners) - map_points(best[0], corners)).max()
        if criterion < least and (least == np.inf or apart > MIN_DIFFERENCE):
            best, least = (matrix, error), criterion
    return best


class _Edges:
    """The strongest edges of a reference, to which a shot is fitted by Gauss-Newton steps."""

    def __init__(self, shot: View, reference: View):
        fixed = cv2.GaussianBlur(reference.grey, (0, 0), MATCH_SIGMA)
        self._shot = cv2.GaussianBlur(shot.grey, (0, 0), MATCH_SIGMA)
        self._shown = None if shot.shown is None else shot.shown.astype(np.float32)
        self._shape = reference.grey.shape
        across, down = (cv2.Sobel(fixed, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
        strength = np.hypot(across, down)
        if reference.shown is not None:
            strength[cv2.erode(reference.shown.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0] = 0
        strength[:4], strength[-4:], strength[:, :4], strength[:, -4:] = 0, 0, 0, 0
        points = np.argpartition(strength.ravel(), -min(EDGE_POINTS, strength.size))[-min(EDGE_POINTS, strength.size) :]
        points = points[strength.ravel()[points] > 0]
        if len(points) < 100:
            raise ValueError("the shots could not be registered: the reference has hardly an edge")
        rows, columns = np.divmod(points, self._shape[1])
        self._points = np.stack([columns, rows, np.ones(len(points))]).astype(np.float64)
        self._value = fixed.ravel()[points].astype(np.float64)
        self._gradient = np.stack([across.ravel()[points], down.ravel()[points]]).astype(np.float64)
        self.count = len(points)
        half = max(self._shape) / 2
        self._normal = np.array([[1 / half, 0, -self._shape[1] / 2 / half], [0, 1 / half, -self._shape[0] / 2 / half]])
        self._normal = np.vstack([self._normal, [0, 0, 1]])

    def fit(self, model: str, start: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the map of a model and its mean square error, robust to what only one of the two shows."""
        matrix, back = _nearest(model, start, self._shape), np.linalg.inv(self._normal)
        design = np.column_stack([self._jacobian(model), self._value, np.ones(self.count)])
        corners = frame_corners(self._shape)
        for _ in range(MAX_STEPS):
            value, inside = self._sample(matrix)
            weight, _ = self._weights(value, inside)
            weighted = design * weight[:, None]
            solution = np.linalg.solve(weighted.T @ design + 1e-9 * np.eye(design.shape[1]), weighted.T @ value)
            step = np.linalg.inv(back @ _increment(model, solution[:-2] / max(solution[-2], 0.1)) @ self._normal)
            moved = matrix @ step
            moved /= moved[2, 2]
            change = np.abs(map_points(moved, corners) - map_points(matrix, corners)).max()
            matrix = moved
            if change < MIN_STEP:
                break
        value, inside = self._sample(matrix)
        return matrix, self._weights(value, inside)[1]

    def _sample(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the shot's values at the points, and which of them lie in its frame."""
        x, y = map_points(matrix, self._points).astype(np.float32)
        height, width = self._shot.shape
        inside = (x >= 2) & (y >= 2) & (x <= width - 3) & (y <= height - 3)
        places = x.reshape(-1, 1), y.reshape(-1, 1)
        value = _remap(self._shot, *places, cv2.INTER_CUBIC)
        if self._shown is not None:
            inside &= _remap(self._shown, *places, cv2.INTER_LINEAR) > 0.99
        return value.astype(np.float64), inside

    def _weights(self, value: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, float]:
        """Return Cauchy weights, and the error they leave: the mean of log(1 + squared residue / scale)."""
        if inside.sum() < 100:
            raise ValueError("the shots could not be registered: they share too little")
        ours, theirs = self._value[inside], value[inside]
        gain = np.cov(ours, theirs)[0, 1] / max(float(ours.var()), 1e-12)
        residue = value - theirs.mean() - gain * (self._value - ours.mean())
        scale = max(1.5 * float(np.median(np.abs(residue[inside]))), 1e-6)
        weight = inside / (1 + (residue / scale) ** 2)
        return weight, float((weight * residue**2).sum() / weight.sum())

    def _jacobian(self, model: str) -> np.ndarray:
        """Return the change of the reference's values with each parameter, (N, parameters)."""
        x, y, _ = self._normal @ self._points
        across, down = self._gradient * max(self._shape) / 2
        if model == "similarity":
            return np.column_stack([across, down, across * x + down * y, down * x - across * y])
        affine = [across, down, across * x, across * y, down * x, down * y]
        if model == "affine":
            return np.column_stack(affine)
        pull = across * x + down * y
        return np.column_stack([*affine, -pull * x, -pull * y])


def _increment(model: str, p: np.ndarray) -> np.ndarray:
    """Return the map of small parameters about the identity, in coordinates of -1 to 1."""
    if model == "similarity":
        return np.array([[1 + p[2], -p[3], p[0]], [p[3], 1 + p[2], p[1]], [0, 0, 1]])
    bottom = [0, 0, 1] if model == "affine" else [p[6], p[7], 1]
    return np.array([[1 + p[2], p[3], p[0]], [p[4], 1 + p[5], p[1]], bottom])


def _nearest(model: str, matrix: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the map of a model that is nearest to another one at the corners of a frame."""
    if model == "homography":
        return matrix
    corners = frame_corners(shape)
    target = map_points(matrix, corners)
    x, y, one = corners
    zero = np.zeros_like(one)
    if model == "affine":
        solution = np.linalg.lstsq(corners.T, target.T, rcond=None)[0].T
        return np.vstack([solution, [0, 0, 1]])
    design = np.vstack([np.column_stack([x, -y, one, zero]), np.column_stack([y, x, zero, one])])
    a, b, c, d = np.linalg.lstsq(design, target.ravel(), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d], [0, 0, 1]])


def _remap(image: np.ndarray, x: np.ndarray, y: np.ndarray, interpolation: int) -> np.ndarray:
    """Sample an image at (N, 1) places; OpenCV takes columns of fewer than 2^15."""
    rows = 2**14
    parts = range(0, len(x), rows)
    return np.concatenate(
        [
            cv2.remap(image, x[i : i + rows], y[i : i + rows], interpolation, borderMode=cv2.BORDER_REFLECT)
            for i in parts
        ]
    )[:, 0]


def _check_plausible(matrix: np.ndarray, shot: View, reference: View) -> None:
    """Raise ValueError unless a map between views is one that shots of one stack may have."""
    height, width = reference.grey.shape
    centre = np.array([[width / 2, width / 2 + 1, width / 2], [height / 2, height / 2, height / 2 + 1], [1, 1, 1]])
    spots = map_points(matrix, centre)
    across, down = spots[:, 1] - spots[:, 0], spots[:, 2] - spots[:, 0]
    scale = float(np.sqrt(abs(across[0] * down[1] - across[1] * down[0])))
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
    if not inside.any():
        return 0.0
    sigma = max(reference.shape[:2]) / 100
    one, other = (cv2.GaussianBlur(linear_to_srgb(image), (0, 0), sigma)[inside] for image in (shot, reference))
    if min(one.std(), other.std()) < 1e-6:
        return 1.0  # nothing to compare
    return float(np.corrcoef(one, other)[0, 1])
