"""Blur levels: the sigmas that a network tells apart."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from defocus_core.blur.kernels import effective_sigma
from defocus_core.settings import Real, Settings, Whole


class Levels(Settings):
    """The blur levels that a network tells apart."""

    spacing: Literal["linear", "geometric"] = Field(
        "linear", description="Spacing of the levels; linear is the paper's."
    )
    count: Whole = Field(20, ge=2, description="Number of levels.")
    min_sigma: Real = Field(0.0, ge=0, description="Nominal sigma of the first level, pixels.")
    max_sigma: Real = Field(19.0, gt=0, description="Nominal sigma of the last level, pixels.")

    @model_validator(mode="after")
    def _check_range(self) -> Levels:
        if not self.min_sigma < self.max_sigma:
            raise ValueError(f"min_sigma {self.min_sigma:g} is not below max_sigma {self.max_sigma:g}")
        if self.spacing == "geometric" and self.min_sigma <= 0:
            raise ValueError(f"geometric levels start above 0, not at {self.min_sigma:g}")
        return self

    def nominal(self) -> np.ndarray:
        """Return the nominal sigma of each level, (count,) float64 in pixels.

        Examples
        --------
        >>> Levels().nominal()[:3].tolist()
        [0.0, 1.0, 2.0]
        >>> Levels(spacing="geometric", count=3, min_sigma=1, max_sigma=4).nominal().round(3).tolist()
        [1.0, 2.0, 4.0]
        """
        space = np.linspace if self.spacing == "linear" else np.geomspace
        return space(self.min_sigma, self.max_sigma, self.count)


def sigma_to_paper_label(sigma: np.ndarray) -> np.ndarray:
    """Return the label of Galetto & Deng (arXiv 2107.14443) whose kernel blurs by sigma.

    Their kernels are cut, so a label k blurs by k / 1.35 (k = 1) to k / 1.81 (k = 19) pixels.

    Parameters
    ----------
    sigma : of any shape, in pixels

    Returns
    -------
    float64 of its shape in [0, 19], linear between labels

    Examples
    --------
    >>> sigma_to_paper_label([0, 0.5, 10]).round(2).tolist()
    [0.0, 0.68, 18.11]
    """
    labels = np.arange(20)
    return np.interp(sigma, [effective_sigma(float(label), "paper") for label in labels], labels)
