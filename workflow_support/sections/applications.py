"""Sections of the scenes on which applications are measured."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from defocus_core.settings import Fraction, Real, Settings
from defocus_core.training.config import Count
from workflow_support.sections.fields import Command, Name, Positive, Side


class EnhanceExperiment(Settings):
    """The embedded scenes, enhanced."""

    max_sigmas: Annotated[list[Positive], Field(min_length=1)] = Field(
        description="Sigma of the motorcycle's whole range of disparities, pixels, one a run of all scenes; the "
        "embedded set has 8."
    )
    size: Side = Field(description="Side of a composite, pixels.")


class MagnifyExperiment(Settings):
    """Scenes at a small aperture, magnified, against the same at a wide one."""

    focus_disparity: Real = Field(description="Disparity in focus.")
    sigma_per_disparity: Positive = Field(description="Sigma for one pixel of disparity, pixels.")
    aperture_ratio: Annotated[float, Field(strict=True, gt=1)] = Field(
        description="Ratio of the two apertures; f/8 to f/2 is 4."
    )
    composites: Count = Field(description="Scenes of one photograph in focus before another.")
    size: Side = Field(description="Side of a composite, pixels.")


class FuseExperiment(Settings):
    """Stacks whose all-in-focus image is known."""

    focus_quantiles: Annotated[list[Fraction], Field(min_length=2, max_length=2)] = Field(
        description="Quantiles of the motorcycle's disparity in focus in two shots; a third lies midway."
    )
    sigma_per_disparity: Positive = Field(description="Sigma for one pixel of disparity, pixels.")
    composites: Count = Field(description="Pairs of shots of one photograph before another.")
    size: Side = Field(description="Side of a composite, pixels.")
    photographs: str | None = Field(
        None, description="Folder of sharp photographs to compose; left out, four of scikit-image's."
    )
    commands: dict[Name, Command] = Field({}, description="Other fusion programs by name, as in `stacks`.")


class StackCrop(Settings):
    """A part of a real stack that is shown as each method fuses it."""

    folder: str = Field(description="Folder of the shots.")
    top: Annotated[int, Field(strict=True, ge=0)] = Field(description="First row, pixels.")
    left: Annotated[int, Field(strict=True, ge=0)] = Field(description="First column, pixels.")
    side: Side = Field(description="Rows and columns, pixels.")


class RenderedStacksExperiment(Settings):
    """Stacks of rendered scenes of known depth, and crops of real stacks."""

    size: Side = Field(description="Side of a scene, pixels.")
    cameras: Annotated[int, Field(strict=True, ge=1, le=4)] = Field(
        4, description="Cameras, from 5 shots without noise to 9 with JPEG, each of which takes six scenes."
    )
    photographs: str | None = Field(
        None, description="Folder of sharp photographs to compose; left out, four of scikit-image's."
    )
    commands: dict[Name, Command] = Field({}, description="Other fusion programs by name, as in `stacks`.")
    crops: list[StackCrop] = Field([], description="Parts of real stacks to show.")


class DepthExperiment(Settings):
    """The lens that photographs a scene of known distances."""

    focal_length: Positive = Field(
        description="Focal length, mm; the pixels' pitch follows from it and the scene's calibration."
    )
    f_number: Positive = Field(description="Focal length by aperture.")


class ScoreExperiment(Settings):
    """Sharp photographs blurred in several ways and conditions, and ranked by one number each."""

    sigmas: Annotated[list[Positive], Field(min_length=1)] = Field(description="Sigma of the blurs, pixels.")
    min_sigma: Positive = Field(description="Least sigma that counts as out of focus, pixels.")
    size: Side = Field(description="Side of a photograph, pixels.")
    limit: Count = Field(description="Photographs of each folder.")
    folders: list[str] | None = Field(
        None, description="Folders of sharp photographs; left out, four photographs of scikit-image's."
    )

    @model_validator(mode="after")
    def _check_sigmas(self) -> ScoreExperiment:
        if max(self.sigmas) < self.min_sigma:
            raise ValueError(f"none of the sigmas is from min_sigma {self.min_sigma:g} on")
        return self


class ApplicationsSection(Settings):
    """Scenes on which the applications are measured."""

    enhance: EnhanceExperiment = Field(description="The embedded scenes, blurred by a known map.")
    magnify: MagnifyExperiment = Field(description="Scenes at a small and at a wide aperture.")
    fuse: FuseExperiment = Field(description="Scenes whose all-in-focus image is known.")
    rendered_stacks: RenderedStacksExperiment = Field(description="Rendered stacks, and real ones to look at.")
    depth: DepthExperiment = Field(description="The lens that photographs a scene of known distances.")
    score: ScoreExperiment = Field(description="Sharp photographs, blurred and ranked.")
