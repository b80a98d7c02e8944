"""Settings of training: of a network, its augmentations, and the scenes that dense networks are trained on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from defocus_core.settings import Flag, Fraction, Real, Settings, Whole
from defocus_core.training.schedule import Schedule

Count = Annotated[int, Field(strict=True, ge=1)]


class AugmentConfig(Settings):
    """How far each augmentation goes; 0 or false leaves it out."""

    flips: Flag = Field(False, description="Mirror and turn by quarters.")
    gamma: Real = Field(0.0, ge=0, description="Exponents from 1 / (1 + gamma) to 1 + gamma.")
    contrast: Real = Field(0.0, ge=0, lt=1, description="Gains from 1 - contrast to 1 + contrast about the mean.")
    noise: Real = Field(
        0.0, ge=0, description="Largest standard deviation of additive Gaussian noise, grey levels of 0..255."
    )
    jpeg_fraction: Fraction = Field(
        0.0, description="Fraction of patches that go through JPEG quantisation at a quality of 40 to 95."
    )


class TrainConfig(Settings):
    """Settings of a training."""

    epochs: Count | None = Field(
        100, description="Passes over the training patches; null where `patch_steps` gives the length."
    )
    patch_steps: Count | None = Field(
        None, description="Patches in all, each counted as often as it is seen; null where `epochs` does."
    )
    batch: Whole = Field(128, ge=2, description="Patches a step.")
    optimizer: Literal["adamw", "muon"] = Field(
        "adamw",
        description="`adamw` (betas 0.9 and 0.999, eps 1e-8; the paper's Adam where `weight_decay` is 0), or `muon`, "
        "whose steps of convolutions are orthogonalised; a step takes longer, and fewer may be needed.",
    )
    learning_rate: Real = Field(1e-3, gt=0, description="Largest learning rate, of either optimizer.")
    schedule: Schedule = Field(
        "constant",
        description="`constant` (the paper's), `cosine` with a warm-up of 5 % of the steps, or `onecycle`, up to the "
        "rate over a quarter of the steps and down again.",
    )
    weight_decay: Real = Field(0.0, ge=0, description="Decoupled weight decay.")
    patience: Whole = Field(
        0,
        ge=0,
        description="Rows of the history without a better validation loss before stopping; 0 never stops.",
    )
    batch_norm_momentum: Annotated[float, Field(strict=True, gt=0, le=1)] | None = Field(
        None, description="Fraction of a batch in the running statistics; null is the network's own."
    )
    joint_batch_norms: Flag = Field(
        True,
        description="Take a batch's statistics over the parts of all processes, so that their number changes nothing; "
        "false takes each part's own, as is usual: three times as fast on processors.",
    )
    dropout: Flag = Field(True, description="Whether networks drop features and branches as they were published.")
    ema: Real = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of the running mean of the weights, which is then validated and returned; 0 has none.",
    )
    validation_patches: Count | None = Field(
        None, description="Most patches validated on, drawn at random; null for all."
    )
    bfloat16: Flag = Field(
        True,
        description="Compute in bfloat16 where that is faster: on graphics processors, and on processors that multiply "
        "it where the network has no depthwise layers.",
    )
    augment: AugmentConfig = Field(AugmentConfig(), description="Ranges of the augmentations.")

    @model_validator(mode="after")
    def _check_length(self) -> TrainConfig:
        if (self.epochs is None) == (self.patch_steps is None):
            raise ValueError(
                f"epochs {self.epochs} and patch_steps {self.patch_steps}: one of them gives the length, "
                "set the other to null"
            )
        return self


class CameraConfig(Settings):
    """How far a camera's processing goes; each step is drawn from 0 to its largest."""

    fraction: Fraction = Field(0.0, description="Fraction of scenes that go through a camera's processing.")
    noise: Real = Field(
        8.0, ge=0, description="Largest standard deviation of the noise of its sensor, grey levels of 0..255."
    )
    sharpening: Real = Field(1.0, ge=0, description="Largest amount of its unsharp mask.")


class SceneConfig(Settings):
    """How layered training scenes are drawn."""

    size: Whole = Field(192, ge=64, multiple_of=8, description="Side of a scene, pixels; a multiple of 8.")
    min_sigma: Real = Field(
        0.4,
        gt=0,
        description="Least sigma of a blurred layer, pixels; sigma is drawn evenly in its logarithm.",
    )
    max_sigma: Real = Field(12.0, gt=0, description="Largest sigma, pixels.")
    disk_fraction: Fraction = Field(0.5, description="Fraction of scenes blurred by a disk in place of a Gaussian.")
    linear_light_fraction: Fraction = Field(0.5, description="Fraction of scenes blurred in linear light.")
    shaded_fraction: Fraction = Field(
        0.0, description="Fraction of objects, people apart, that are smooth in parts, as skin and paint are."
    )
    people_fraction: Fraction = Field(
        0.0, description="Fraction of objects that are people, where silhouettes of people are given."
    )
    shaded_background_fraction: Fraction = Field(
        0.0, description="Fraction of backgrounds that are smooth in parts, as walls and skies are."
    )
    plain_fraction: Fraction = Field(
        0.0, description="Fraction of backgrounds of one grey level, which tell nothing of their blur."
    )
    whole_fraction: Fraction = Field(
        0.0, description="Fraction of scenes of one photograph alone, half of them sharp and half blurred all over."
    )
    max_base_sigma: Real = Field(
        0.0,
        ge=0,
        description="Largest blur under everything in half of the scenes, as of a soft lens or an enlarged file, "
        "pixels; labels count it in.",
    )
    shaped_fraction: Fraction = Field(
        0.0, description="Fraction of the disks that an aperture's blades or the barrel of a lens cut to shape."
    )
    camera: CameraConfig = Field(CameraConfig(), description="What a camera does to a scene.")

    @model_validator(mode="after")
    def _check_range(self) -> SceneConfig:
        if not self.min_sigma < self.max_sigma:
            raise ValueError(f"min_sigma {self.min_sigma:g} is not below max_sigma {self.max_sigma:g}")
        return self
