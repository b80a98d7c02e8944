"""What the applications are worth: each tried on scenes whose truth is known, with scores and pictures.

A module here is named after its application and has `run(setup, *, ...)`, whose keyword arguments are the
application's section of the configuration. It returns a table of scores, one row a method and scene, and the
panels of a figure, pairs of a title and an array as `plot_panels` takes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from defocus_core.maps.pipeline import estimate
from defocus_core.networks.classifier import Classifier

Panels = list[tuple[str, np.ndarray]]


@dataclass(frozen=True)
class Setup:
    """Arguments that all experiments share.

    Parameters
    ----------
    model : makes the maps
    options : arguments of `estimate`
    seed : of what an experiment draws
    """

    model: Classifier
    options: dict = field(default_factory=dict)
    seed: int = 0

    def map(self, image: np.ndarray) -> np.ndarray:
        """Return the defocus map of an image, as `estimate` does."""
        return estimate(image, model=self.model, **self.options)
