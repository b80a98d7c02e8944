"""Let what has no evidence of its own follow its surroundings."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.io.arrays import check_map_fits
from defocus_core.maps.refine.least_squares import propagate

EVIDENT_CERTAINTY = 0.05  # mean certainty around a pixel from which it keeps its value
GRID = 8  # pixels to one cell of the grid on which values spread
POOL = 2.0  # cells of the grid, sigma of the Gaussian that averages certainty
WEIGHT_EXPONENT = 3  # of the certainty, in the weight with which a pixel speaks for others
SMOOTHNESS = 10.0  # of the grid, against a weight of 1
LEAST_WEIGHT = np.float32(1e-6)  # so that a photograph without any evidence keeps its values


def follow_surroundings(values: np.ndarray, certainty: np.ndarray) -> np.ndarray:
    """Replace values without evidence by those around them, whatever lies between.

    Parameters
    ----------
    values : (H, W) float32, of any meaning
    certainty : (H, W) float32 in [0, 1], of each value; 0 is no evidence at all

    Returns
    -------
    (H, W) float32, within the range of `values`; those with evidence as they were

    Raises
    ------
    ValueError
        If `certainty` does not fit.

    Examples
    --------
    >>> values = np.repeat(np.array([[3.0, 0.5]], np.float32), 64, axis=1).repeat(64, axis=0)
    >>> certainty = np.repeat(np.array([[0.8, 0.0]], np.float32), 64, axis=1).repeat(64, axis=0)
    >>> print(follow_surroundings(values, certainty)[32, [10, 120]].round())
    [3. 3.]
    """
    certainty = np.asarray(certainty, np.float32)
    check_map_fits(certainty, values)
    size = tuple(max(length // GRID, 1) for length in values.shape[::-1])
    around = cv2.GaussianBlur(cv2.resize(certainty, size, interpolation=cv2.INTER_AREA), (0, 0), POOL)
    evidence = np.minimum(around / np.float32(EVIDENT_CERTAINTY), 1)
    if evidence.min() == 1:
        return values
    weight: np.ndarray = certainty**WEIGHT_EXPONENT + LEAST_WEIGHT
    pull = cv2.resize(values * weight, size, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    spread = propagate(pull / weight, weight, np.zeros_like(weight), smoothness=SMOOTHNESS, contrast=1.0)
    spread = np.clip(spread, values.min(), values.max())
    spread, evidence = (cv2.resize(grid, values.shape[::-1]) for grid in (spread, evidence))
    return values * evidence + spread * (1 - evidence)
