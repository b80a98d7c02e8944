"""Blur levels: the sigmas that a network tells apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defocus_core.blur.kernels import effective_sigma


@dataclass(frozen=True)
class Levels:
    """The blur levels that a network tells apart.

    Parameters
    ----------
    spacing : `linear` (0, 1, ... as in the paper) or `geometric`
    count : number of levels
    smallest, largest : nominal sigma of the first and last level, in pixels
    """

    spacing: str = "linear"
    count: int = 20
    smallest: float = 0.0
    largest: float = 19.0

    def nominal(self) -> np.ndarray:
        """Return the nominal sigma of each level, (count,) float64 in pixels."""
        if self.spacing == "linear":
            return np.linspace(self.smallest, self.largest, self.count)
        if self.spacing == "geometric":
            if self.smallest <= 0:
                raise ValueError(f"geometric levels start above 0, not at {self.smallest}")
            return np.geomspace(self.smallest, self.largest, self.count)
        raise ValueError(f"no spacing {self.spacing!r}; known: linear, geometric")


def sigma_to_paper_label(sigma: np.ndarray) -> np.ndarray:
    """Return the label of Galetto & Deng (arXiv 2107.14443) whose kernel blurs by sigma.

    Their kernels are cut, so a label k blurs by k / 1.35 (k = 1) to k / 1.81 (k = 19) pixels.

    Parameters
    ----------
    sigma : of any shape, in pixels

    Returns
    -------
    float64 of its shape in [0, 19], linear between labels
    """
    labels = np.arange(20)
    return np.interp(sigma, [effective_sigma(label, "paper") for label in labels], labels)
