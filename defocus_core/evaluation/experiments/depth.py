"""Distances from blur, for a scene of known distances and a known lens."""

from __future__ import annotations

import numpy as np
import pandas as pd

from defocus_core.applications.depth import Lens
from defocus_core.blur.rendering import Scene, render_defocus
from defocus_core.evaluation import metrics
from defocus_core.evaluation.experiments.setup import Panels, Setup
from defocus_core.evaluation.known_scenes import MOTORCYCLE_FOCAL_LENGTH, load_motorcycle, motorcycle_distance

COLUMNS = 4


def run(setup: Setup, *, focal_length: float, f_number: float) -> tuple[pd.DataFrame, Panels]:
    """Photograph scikit-image's motorcycle focused at three distances, and measure all distances by blur.

    Which of the two distances that a blur allows is the right one is told: in front of the focal plane,
    behind it, or, focused in the middle, the closer to the truth.

    Parameters
    ----------
    focal_length : in mm; the pitch of the pixels follows from it and the scene's calibration
    f_number : focal length by aperture

    Returns
    -------
    Scores of `distance_errors`, and panels
    """
    disparity = load_motorcycle()
    truth = motorcycle_distance(disparity)
    scene = Scene(disparity.image, 1 / truth)
    pitch = focal_length * 1e3 / MOTORCYCLE_FOCAL_LENGTH
    reach = (0.8 * truth.min(), 1.25 * truth.max())
    rows, panels = [], []
    for focus, plane in (("near", truth.min()), ("middle", np.median(truth)), ("far", truth.max())):
        lens = Lens(focal_length, f_number, float(plane), pitch)
        image, true_sigma = render_defocus(
            scene, focus=1 / lens.focus_distance, sigma_per_disparity=lens.sigma_per_dioptre, aperture="disk"
        )
        sigma = setup.map(image)
        answers = {
            "estimated map": _choose_side(lens, sigma, truth, focus),
            "true map": _choose_side(lens, true_sigma, truth, focus),
            "the median everywhere": np.full_like(truth, np.median(truth)),
        }
        rows += [{"focus": focus, "distances": n, **metrics.distance_errors(d, truth)} for n, d in answers.items()]
        title = "closer of two distances (m)" if focus == "middle" else "distance (m)"
        panels += [(f"focus {focus}, {plane:.2f} m", image), ("sigma (pixels)", sigma)]
        panels += [(title, np.clip(answers["estimated map"], *reach)), ("true distance (m)", truth)]
    return pd.DataFrame(rows), panels


def _choose_side(lens: Lens, sigma: np.ndarray, truth: np.ndarray, focus: str) -> np.ndarray:
    """Return that one of a blur's two distances that the focus of the lens leaves, in m."""
    before, behind = lens.distances(sigma)
    if focus == "middle":
        return np.where(np.abs(1 / before - 1 / truth) < np.abs(1 / behind - 1 / truth), before, behind)
    return behind if focus == "near" else before
