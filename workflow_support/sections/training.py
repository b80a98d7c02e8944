"""Sections of what networks are trained on: photographs, patches and scenes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from defocus_core.io.read import MAX_PIXELS
from defocus_core.settings import Fraction, Settings
from defocus_core.training.config import Count, SceneConfig, TrainConfig
from defocus_core.training.patches import PatchConfig
from workflow_support.sections.fields import Model, Name, Package, Split, partial


class Source(Settings):
    """Sharp photographs: of an installed package, a folder, or an address."""

    package: Package | None = Field(None, description="Installed package that carries photographs.")
    folder: str | None = Field(None, description="Folder of photographs.")
    url: Annotated[str, Field(pattern=r"^https?://")] | None = Field(
        None, description="Address of a zip archive of photographs or of one photograph; needs `sha256`."
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="Digest that the file at the address must have."
    )
    images: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Names without suffix; all images where left out."
    )
    licence: str = Field(description="Licence of the photographs, copied into the manifest.")
    get: str | None = Field(None, description="How to get the folder; told where it is missing.")

    @model_validator(mode="after")
    def _check_origin(self) -> Source:
        given = [key for key in ("package", "folder", "url") if getattr(self, key)]
        if len(given) != 1:
            raise ValueError(f"a source has one of package, folder and url, not {' and '.join(given) or 'none'}")
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 go together")
        return self


class SplitFractions(Settings):
    """Fractions of scenes in each split."""

    train: Split = Field(description="Fraction trained on.")
    validation: Split = Field(description="Fraction that chooses the epoch.")
    test: Split = Field(description="Fraction that is reported.")

    @model_validator(mode="after")
    def _check_sum(self) -> SplitFractions:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the fractions sum to {total:g}, not to 1")
        return self


class IngestSection(Settings):
    """Which sharp photographs are taken, and how they are split."""

    sources: Annotated[list[Source], Field(min_length=1)] = Field(
        description="Where photographs come from. Any edit, even of a licence, makes patches and networks anew, since "
        "the manifest names all of it."
    )
    split_fractions: SplitFractions = Field(
        description="Fraction of scenes in each split; they sum to 1. A scene's place is a hash of its content, so a "
        "new photograph moves no other, unless it is of the same scene or fills a split that was empty."
    )
    max_pixels: Annotated[int, Field(strict=True, ge=1024, le=MAX_PIXELS)] = Field(
        description="Larger images are skipped before they are decoded, pixels."
    )


PatchChanges = partial(PatchConfig, "PatchChanges")
TrainChanges = partial(TrainConfig, "TrainChanges")


class PatchVariant(Settings):
    """Another way to make patches and train one network on them."""

    backbone: Name = Field(description="Network to train.")
    patches: PatchChanges = Field(PatchChanges(), description="What replaces keys of `patches`.")  # type: ignore[valid-type]
    train: TrainChanges = Field(TrainChanges(), description="What replaces keys of `train`.")  # type: ignore[valid-type]


class DomainsSection(Settings):
    """Models and the patches that they are tested on besides their own."""

    models: list[Model] = Field(
        [], description="Models to test, of the main patches and of variants; their table is made only when asked for."
    )
    patch_variants: list[Name] = Field(
        [], description="Variants, by name, whose test patches each of the models is tested on beside the main ones."
    )


class SceneCount(Settings):
    """Scenes in each split."""

    train: Count = Field(description="Scenes to train on.")
    validation: Count = Field(description="Scenes that choose the epoch.")


class LayeredScenesSection(Settings):
    """Layered training scenes with true occlusion, and the dense network trained on them."""

    network: Name = Field(description="Dense network to train; a module of `defocus_core/networks/dense`.")
    min_sharp_fraction: Fraction = Field(
        description="Least fraction of a photograph's pixels with sigma below one pixel, by the shipped network, for "
        "it to be used."
    )
    count: SceneCount = Field(description="Scenes in each split.")
    silhouettes: str | None = Field(
        None,
        description="Folder of silhouettes of people, white where they are: `FOLDER/NAME.png` is that of a photograph "
        "`NAME.*` in a folder called `FOLDER`.",
    )
    scene: SceneConfig = Field(SceneConfig(), description="How a scene is drawn.")
    start: Model = Field(description="Model of the same levels whose first layers are where training starts.")
    start_weight: Fraction = Field(
        description="Weight of the start in the mean of the weights before and after training; above 0, `start` is a "
        "model of the same network."
    )
    train: TrainConfig = Field(description="How to train, as `train`.")

    @model_validator(mode="after")
    def _check_people(self) -> LayeredScenesSection:
        if self.scene.people_fraction and not self.silhouettes:
            raise ValueError(
                f"scene.people_fraction is {self.scene.people_fraction:g}, and silhouettes names no folder of them; "
                "tools/cut_people.py makes them"
            )
        return self
