"""Which shot wins where the veil of a blurred front lies over a sharp background."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.io.arrays import fill_nearest

VEIL_SIGMAS = 2.0  # sigmas of blur that a veil reaches: the radius of a disk
MAX_REACH = 0.03  # of the longer side


def prefer_front(front: np.ndarray, sigma_of_back: np.ndarray, *, step: int = 1) -> np.ndarray:
    """Give the front's shot the ring that its veil covers in the other shot.

    The front keeps a clean outline, and the ring shows the background out of focus.

    Parameters
    ----------
    front : (H, W) bool, where the shot focused nearer to the front is chosen
    sigma_of_back : (H, W) float32, blur of the other shot, pixels of the shots
    step : pixels of the shots from one pixel of the arrays to the next

    Returns
    -------
    (H, W) bool
    """
    if front.all() or not front.any():
        return front
    distance = cv2.distanceTransform((~front).astype(np.uint8), cv2.DIST_L2, 5)
    reach = np.minimum(VEIL_SIGMAS * fill_nearest(sigma_of_back, front) / step, MAX_REACH * max(front.shape))
    return front | (distance <= reach)


def prefer_back(front: np.ndarray, sigma_of_front: np.ndarray, sigma_of_back: np.ndarray) -> np.ndarray:
    """Give the back's shot what its defocus map has as sharper, though veiled; parameters as of `prefer_front`."""
    return front & (sigma_of_front <= sigma_of_back)
