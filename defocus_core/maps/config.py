"""Settings of defocus maps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from defocus_core.maps.refine.guided import PAPER_GUIDED
from defocus_core.maps.refine.refinement import LeastSquaresConfig, Refinement
from defocus_core.settings import Flag, Real, Settings, Whole


class MapConfig(Settings):
    """Settings that turn the predictions of a network into a map."""

    decision: Literal["expectation", "winner"] = Field(
        "expectation",
        description="Expected sigma under the network's probabilities, or sigma of the likeliest level (the paper).",
    )
    certainty_exponent: Real = Field(
        2.0,
        ge=0,
        description="Exponent of the certainty of a window, 1 - entropy / log levels, in the mean over the windows "
        "that cover a pixel; 0 weights all alike (the paper).",
    )
    min_pyramid_side: Whole = Field(
        40,
        ge=0,
        description="Look at ever smaller copies of the photograph too, each half the last, at most three, as long as "
        "a copy's shorter side has this many pixels: there a network sees twice as far around, and twice the blur; 0 "
        "is full size alone.",
    )
    judge_oversampling: Flag = Field(
        True,
        description="Let smaller copies count the more, the less sharp the sharpest of a photograph is at its size: an "
        "enlarged or soft one, as full-size camera files are, shows no more than its half does.",
    )
    log_sigma: Flag = Field(
        True,
        description="Average and refine the logarithm of sigma, in which blur is told apart evenly; the paper does so "
        "in sigma itself.",
    )
    stretch_contrast: Flag = Field(
        True,
        description="Bring grey levels to the full range first, by a gain of 16 at most, of 256 for more "
        "than 8 bit; the paper takes the photograph as it is.",
    )
    evidence: Flag = Field(
        True,
        description="Be sure of nothing where a photograph has no more than noise, such as on a plain field: there a "
        "map follows its surroundings.",
    )
    bfloat16: Flag = Field(
        True,
        description="Compute a dense network in bfloat16 where the processor multiplies it, in half the time: sigma "
        "differs by some thousandths. False gives the same map on every machine.",
    )
    refinement: Refinement = Field(LeastSquaresConfig(), description="Method of the refinement and its settings.")


PAPER_CONFIG = MapConfig(
    decision="winner",
    certainty_exponent=0.0,
    min_pyramid_side=0,
    judge_oversampling=False,
    log_sigma=False,
    stretch_contrast=False,
    evidence=False,
    refinement=PAPER_GUIDED,
)
DEFAULT_CONFIG = MapConfig()


def map_arguments_from(section: dict[str, Any]) -> dict[str, Any]:
    """Convert a mapping such as the workflow's `maps` section to arguments of `estimate`."""
    own = {key: value for key, value in section.items() if key in MapConfig.model_fields}
    return {"step": section["step"], "refine": section["refine"], "config": MapConfig(**own)}
