"""Fit a similarity, an affine map or a homography to two shots that are focused differently.

Blur moves no edge in linear light, but it changes how steep one is, and by how much differs from place to place. Around
each place, the shot is therefore explained as the reference times a gain, plus an offset, plus a multiple of the
reference's Laplacian, which is what a little more or less blur adds; what is left tells the motion.
"""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.applications.fusion.homography import corner_distance, frame_corners, map_points
from defocus_core.applications.fusion.view import View

MODELS = {"similarity": 4, "affine": 6, "homography": 8}  # and their parameters, the simplest first
MIN_DIFFERENCE = 0.15  # pixels at a corner from which a model is worth more parameters
MATCH_SIGMA = 3.0  # pixels of blur before a fit, over which a difference in focus shows less
TILE_SIDE, TILE_POINTS = 30, 96  # pixels over which gain, offset and blur are one, and the most points in them
EDGE_POINTS = 20_000  # of the strongest gradient
POINT_STRIDE, MIN_STRIDED_PIXELS = 2, 8000  # rows and columns from one candidate to the next, but in tiny views
POINTS_PER_OBSERVATION = 16  # neighbours tell the same: so many points count as one in the choice of a model
GAIN_RANGE = (0.1, 3.0)  # of the shot against the reference, over a tile
MAX_STEPS, MIN_STEP = 15, 0.005  # of a fit; pixels at the corners
MIN_POINTS, MIN_TILE_POINTS = 50, 12  # in both shots, and of a tile that takes part


def fit_motion(shot: View, reference: View, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit each model, and return the map of the one with the least Bayesian information criterion, and its error.

    Parameters
    ----------
    shot, reference : see `View`
    start : (3, 3), a map from a pixel of the reference to one of the shot, a few pixels off at most

    Returns
    -------
    (3, 3) float64, and the mean square of what it leaves, in light of 0..1

    Raises
    ------
    ValueError
        If the two have too few edges in common.

    References
    ----------
    Baker & Matthews, IJCV 2004 (inverse compositional fit); Schwarz, Annals of Statistics 1978 (choice of the model).
    """
    edges, shape = _Edges(shot, reference), reference.grey.shape
    observations = max(16.0, edges.count / POINTS_PER_OBSERVATION)
    best, least = (start, np.inf), np.inf
    for model, parameters in MODELS.items():
        matrix, error = edges.fit(model, best[0])
        criterion = observations * np.log(max(error, 1e-12)) + parameters * np.log(observations)
        if criterion < least and (least == np.inf or corner_distance(matrix, best[0], shape) > MIN_DIFFERENCE):
            best, least = (matrix, error), criterion
    return best


class _Edges:
    """Points on the edges of a reference, by tiles, to which a shot is fitted by Gauss-Newton steps."""

    def __init__(self, shot: View, reference: View):
        fixed = cv2.GaussianBlur(reference.grey, (0, 0), MATCH_SIGMA)
        self._shot = cv2.GaussianBlur(shot.grey, (0, 0), MATCH_SIGMA)
        self._shown = None if shot.shown is None else shot.shown.astype(np.float32)
        self._shape = fixed.shape
        across, down = (cv2.Sobel(fixed, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
        places, self._used = _edge_points(_strength(across, down, reference.shown))
        self.count = int(self._used.sum())
        rows, columns = np.divmod(places, self._shape[1])
        self._points = np.stack([columns.ravel(), rows.ravel(), np.ones(places.size)]).astype(np.float64)
        self._across, self._down = across.ravel()[places], down.ravel()[places]
        value, laplacian = fixed.ravel()[places], cv2.Laplacian(fixed, cv2.CV_32F).ravel()[places]
        laplacian *= value.std() / max(float(laplacian.std()), 1e-9)
        self._photometric = np.stack([value, np.ones_like(value), laplacian], 1)
        self._half = half = max(self._shape) / 2
        self._normal = np.array(
            [[1 / half, 0, -self._shape[1] / 2 / half], [0, 1 / half, -self._shape[0] / 2 / half], [0, 0, 1]]
        )

    def fit(self, model: str, start: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the map of a model, and the mean square of what it leaves of what both shots show."""
        matrix, back = _nearest(model, start, self._shape), np.linalg.inv(self._normal)
        jacobian, weight = self._jacobian(model), None
        for _ in range(MAX_STEPS):
            residue, gain, weight = self._fit_photometry(matrix, weight)
            small = _increment(model, _solve(self._photometric, gain * jacobian, residue, weight))
            moved = matrix @ np.linalg.inv(back @ small @ self._normal)
            moved /= moved[2, 2]
            change, matrix = corner_distance(moved, matrix, self._shape), moved
            if change < MIN_STEP:
                break
        residue, _, weight = self._fit_photometry(matrix, weight)
        return matrix, float((weight * residue**2).sum() / weight.sum())

    def _fit_photometry(
        self, matrix: np.ndarray, weight: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Explain the shot's values by the reference, tile by tile.

        Returns
        -------
        what is left, (tiles, points); gain of each tile, (tiles, 1, 1); Cauchy weights for that, (tiles, points)
        """
        value, inside = self._sample(matrix)
        shown = inside if weight is None else inside * weight
        moments = (self._photometric * shown[:, None]) @ self._photometric.transpose(0, 2, 1)
        products = (self._photometric * shown[:, None]) @ value[:, :, None]
        factors = np.linalg.solve(_regular(moments), products)
        residue = value - (factors * self._photometric).sum(1)
        scale = max(1.5 * float(np.median(np.abs(residue[inside > 0]))), 1e-6)
        return residue, np.clip(factors[:, :1], *GAIN_RANGE), inside / (1 + (residue / scale) ** 2)

    def _sample(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the shot's values at the points, and 1 for those that lie in its frame, (tiles, points) each."""
        x, y = map_points(matrix, self._points).astype(np.float32).reshape(2, *self._used.shape)
        height, width = self._shot.shape
        inside = self._used & (x >= 2) & (y >= 2) & (x <= width - 3) & (y <= height - 3)
        value = cv2.remap(self._shot, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        if self._shown is not None:
            inside &= cv2.remap(self._shown, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT) > 0.99
        if inside.sum() < MIN_POINTS:
            raise ValueError("the shots could not be registered: they share too little")
        return value, inside.astype(np.float32)

    def _jacobian(self, model: str) -> np.ndarray:
        """Return the change of the reference's values with each parameter, (tiles, parameters, points)."""
        x, y, _ = (self._normal @ self._points).reshape(3, *self._used.shape).astype(np.float32)
        across, down = self._across * self._half, self._down * self._half
        if model == "similarity":
            return np.stack([across, down, across * x + down * y, down * x - across * y], 1)
        affine = [across, down, across * x, across * y, down * x, down * y]
        if model == "affine":
            return np.stack(affine, 1)
        pull = across * x + down * y
        return np.stack([*affine, -pull * x, -pull * y], 1)


def _strength(across: np.ndarray, down: np.ndarray, shown: np.ndarray | None) -> np.ndarray:
    """Return the size of the gradient, 0 near the border and near what shows nothing."""
    strength = np.hypot(across, down)
    if shown is not None:
        strength[cv2.erode(shown.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0] = 0
    strength[:4], strength[-4:], strength[:, :4], strength[:, -4:] = 0, 0, 0, 0
    return strength


def _edge_points(strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose points on edges, tile by tile.

    Returns
    -------
    (tiles, points) int64, places in the flat image, and bool, whether each is one of the strongest
    """
    stride = POINT_STRIDE if strength.size >= MIN_STRIDED_PIXELS else 1
    places = np.arange(strength.size).reshape(strength.shape)[::stride, ::stride]
    strength = strength[::stride, ::stride]
    least = np.partition(strength.ravel(), -min(EDGE_POINTS, strength.size))[-min(EDGE_POINTS, strength.size)]
    side = TILE_SIDE // stride
    chosen, used = [], []
    for top in range(0, strength.shape[0], side):
        for left in range(0, strength.shape[1], side):
            tile = np.s_[top : top + side, left : left + side]
            strengths = np.pad(strength[tile].ravel(), (0, max(0, TILE_POINTS - strength[tile].size)))
            strongest = np.argpartition(strengths, -TILE_POINTS)[-TILE_POINTS:]
            enough = strengths[strongest] >= max(least, 1e-9)
            if enough.sum() >= MIN_TILE_POINTS:
                used.append(enough)
                chosen.append(np.resize(places[tile].ravel(), strengths.size)[strongest])
    if not used:
        raise ValueError("the shots could not be registered: the reference has hardly an edge")
    return np.stack(chosen), np.stack(used)


def _solve(photometric: np.ndarray, jacobian: np.ndarray, residue: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the parameters that explain a residue best beside what explains each tile by itself, (parameters,)."""
    columns = np.concatenate([photometric, jacobian, residue[:, None]], 1)
    moments = ((columns * weight[:, None]) @ columns.transpose(0, 2, 1)).astype(np.float64)
    own = photometric.shape[1]
    across = moments[:, own:, :own]
    left = (
        moments[:, own:, own:] - across @ np.linalg.solve(_regular(moments[:, :own, :own]), across.transpose(0, 2, 1))
    ).sum(0)
    return np.linalg.solve(left[:-1, :-1] + 1e-9 * np.eye(len(left) - 1), left[:-1, -1])


def _regular(moments: np.ndarray) -> np.ndarray:
    """Return moments that can be inverted, also of a tile without a point, (tiles, n, n) float64."""
    moments = moments.astype(np.float64)
    return moments + (1e-6 * moments + 1e-9) * np.eye(moments.shape[-1])


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
