"""Settings of defocus maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defocus_core.maps.refine.guided import GuidedConfig
from defocus_core.maps.refine.refinement import PAPER_GUIDED, LeastSquaresConfig, refinement_config_from


@dataclass(frozen=True)
class MapConfig:
    """How windows become a map.

    Parameters
    ----------
    decision : `expectation` under the network's probabilities, or `winner`: the likeliest level,
        as in the paper
    certainty : exponent of the certainty of a window, `1 - H / log levels` with H the entropy of its
        probabilities, in the mean over the windows that cover a pixel; 0 weights all alike (the paper)
    coarsest : look at ever smaller copies of the photograph too, each half the last, in which a network sees
        twice as far around and twice the blur: at most `MAX_HALVINGS`, as long as a copy's shorter side
        has this many pixels; 0 is at full size alone. What is found blurred there counts beside what is
        found in full size, each by its certainty
    logarithm : take expectations and means and refine in the logarithm of sigma, in which blur is told
        apart evenly; the paper does so in sigma itself
    stretch : look at the photograph as `stretch_contrast`; the paper takes it as it is
    refine : method and settings of the refinement
    """

    decision: str = "expectation"
    certainty: float = 2.0
    coarsest: int = 40
    logarithm: bool = True
    stretch: bool = True
    refine: LeastSquaresConfig | GuidedConfig = LeastSquaresConfig()

    def __post_init__(self):
        if self.decision not in ("expectation", "winner"):
            raise ValueError(f"no decision {self.decision!r}; known: expectation, winner")
        if not 0 <= self.certainty < np.inf:
            raise ValueError(f"certainty is an exponent from 0 on, not {self.certainty}")
        if self.coarsest < 0:
            raise ValueError(f"coarsest is a number of pixels, or 0 for full size alone, not {self.coarsest}")


def map_arguments_from(options: dict) -> dict:
    """Return the arguments of `estimate` that the workflow's `maps` section stands for."""
    known = {
        key: options[key]
        for key in ("decision", "certainty", "coarsest", "logarithm", "stretch")
        if key in options
    }
    settings = MapConfig(**known, refine=refinement_config_from(options.get("refinement", {})))
    return {"step": options["step"], "refine": options["refine"], "settings": settings}


PAPER_CONFIG = MapConfig(
    decision="winner", certainty=0.0, coarsest=0, logarithm=False, stretch=False, refine=PAPER_GUIDED
)
DEFAULT_CONFIG = MapConfig()
