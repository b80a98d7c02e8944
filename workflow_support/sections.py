"""The sections of the workflow's configuration: a typed model each."""

from __future__ import annotations

import copy
import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    WithJsonSchema,
    create_model,
    model_serializer,
    model_validator,
)

from defocus_core.maps.config import MapConfig
from defocus_core.settings import Flag, Fraction, Real, Settings, Whole
from defocus_core.training.config import Count, SceneConfig, TrainConfig
from defocus_core.training.patches import PatchConfig

NAME = re.compile(r"[a-z0-9_]+")
MODEL = re.compile(r"(shipped|trained|patch_variant)/[a-z0-9_]+|.*\.safetensors")


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ValueError(f"a name is of small letters, digits and _, not {text!r}")
    return text


def _model(text: str) -> str:
    if not MODEL.fullmatch(text):
        raise ValueError(f"a model is shipped/, trained/ or patch_variant/NAME, or a .safetensors file, not {text!r}")
    return text


def _command(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"a command is words as a shell splits them, not {text!r}: {error}") from None
    if "{shots}" not in words or "{fused}" not in text:
        raise ValueError(f"a command names {{shots}} as a word of its own and {{fused}}, not {text!r}")
    return text


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})]
Model = Annotated[str, AfterValidator(_model), WithJsonSchema({"type": "string", "pattern": f"^({MODEL.pattern})$"})]
Command = Annotated[str, AfterValidator(_command), WithJsonSchema({"type": "string"})]
Side = Annotated[int, Field(strict=True, ge=64)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Split = Annotated[float, Field(strict=True, gt=0, le=1)]
Package = Literal["skimage", "sklearn"]
Baseline = Literal[
    "entropy",
    "standard_deviation",
    "laplacian_variance",
    "lbp",
    "hifst",
    "edge_ratio",
    "edge_ratio_matting",
    "edge_scale",
]


class Partial(Settings):
    """Keys that replace some of another model's; dumped are those that it was given, also where they are null."""

    @model_serializer
    def _dump_given(self) -> dict[str, Any]:
        return {key: value for key, value in self if key in self.model_fields_set}


def partial(model: type[Settings], name: str) -> type[Partial]:
    """Return a model of the same fields, none of them required: what replaces some of another's."""
    fields: dict[str, Any] = {}
    for key, field in model.model_fields.items():
        optional = copy.copy(field)
        optional.default, optional.default_factory = None, None
        fields[key] = (field.annotation, optional)
    return create_model(name, __base__=Partial, __doc__=f"What replaces keys of `{model.__name__}`.", **fields)


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
    max_pixels: Annotated[int, Field(strict=True, ge=1024)] = Field(
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


class MapsSection(MapConfig):
    """How defocus maps are made."""

    model: Model = Field(
        description="`shipped/NAME` (in the package), `trained/NAME` (a backbone of this run), `patch_variant/NAME`, "
        "or the path of a `.safetensors` file."
    )
    step: Annotated[int, Field(strict=True, ge=1, le=32)] = Field(
        description="Distance between windows, pixels; a dense network has none."
    )
    refine: Flag = Field(description="Apply the edge-aware refinement.")


class Peer(Settings):
    """Maps of another method."""

    folder: str = Field(
        description="Folder of its maps, named as the photographs; of `NAME.npy` and `NAME.png` the first is read."
    )
    high_means: Literal["sharp", "blurred"] = Field(description="What a high value means.")
    unit: Literal["pixels"] | None = Field(
        None,
        description="`pixels` where they are maps of sigma. Without a unit, one threshold is looked for on maps "
        "scaled to 0..1, and maps are fitted to a sigma truth by a straight line.",
    )

    @model_validator(mode="after")
    def _check_unit(self) -> Peer:
        if self.unit and self.high_means != "blurred":
            raise ValueError(f"high_means is 'blurred' for maps of sigma in pixels, not {self.high_means!r}")
        return self


class NameReplacement(Settings):
    """How the name of a truth follows from that of its photograph."""

    image: str = Field(description="Part of the photograph's name.")
    truth: str = Field(description="What the truth has in its place.")


class Subset(Settings):
    """A range of the photographs of a set."""

    first: Whole = Field(1, ge=1, description="First place in the sorted list, counted from 1.")
    last: Count | None = Field(None, description="Last place.")

    @model_validator(mode="after")
    def _check_order(self) -> Subset:
        if self.last is not None and self.first > self.last:
            raise ValueError(f"first {self.first} is after last {self.last}")
        return self


UNUSED_KEYS = {  # of a set, by its truth
    "embedded": ("images", "truth_folder", "blurred_value", "radius_table", "replace"),
    "masks": ("size", "radius_table"),
    "sigma": ("size", "blurred_value"),
    "relative": ("size", "blurred_value", "radius_table"),
}


class BenchmarkSet(Settings):
    """A set of photographs with truths."""

    truth: Literal["embedded", "masks", "sigma", "relative"] = Field(
        description="`embedded` (made from package photographs), `masks`, `sigma` (dense maps in .npy), or `relative` "
        "(pictures, the brighter the more blurred, black where unknown: ranks alone are scored)."
    )
    size: Side | None = Field(None, description="Side of an embedded composite, pixels.")
    shards: Whole = Field(
        1,
        ge=1,
        description="Jobs that share the maps and scores of the set. A photograph's shard is a hash of its name, so a "
        "new one reruns its own shard alone.",
    )
    images: str | None = Field(None, description="Folder of photographs.")
    truth_folder: str | None = Field(None, description="Folder of masks, sigma maps or pictures of relative blur.")
    blurred_value: Literal["white", "black"] | None = Field(
        None, description="What masks (images of 0 and 255) mean by blurred. CUHK: white; DUT: black."
    )
    radius_table: str | None = Field(
        None,
        description="Where the truth is of disk radii: CSV file with the columns `radius_px` and `sigma_px`, pixels; "
        "the nearest row is taken.",
    )
    replace: NameReplacement | None = Field(None, description="Where a truth is named otherwise than its photograph.")
    subset: Subset | None = Field(None, description="Which photographs of the sorted list.")
    peers: dict[Name, Peer] = Field({}, description="Maps of other methods by name.")

    @model_validator(mode="after")
    def _check_needs(self) -> BenchmarkSet:
        needed: tuple[str, ...] = ("size",) if self.truth == "embedded" else ("images", "truth_folder")
        needed += ("blurred_value",) if self.truth == "masks" else ()
        missing = [key for key in needed if getattr(self, key) is None]
        if missing:
            raise ValueError(f"a set whose truth is {self.truth} needs {' and '.join(missing)}")
        unused = [key for key in UNUSED_KEYS[self.truth] if getattr(self, key) is not None]
        if unused:
            raise ValueError(f"a set whose truth is {self.truth} has no {' and '.join(unused)}")
        return self


class Published(Settings):
    """A photograph with published maps, shown beside ours."""

    image: str = Field(description="The photograph.")
    raw: str = Field(description="Its published map as an image in which bright is blurred.")
    refined: str = Field(description="The same after the published refinement.")


class Photographs(Settings):
    """Photographs of a package or a folder."""

    package: Package | None = Field(None, description="Installed package that carries photographs.")
    folder: str | None = Field(None, description="Folder of photographs.")
    images: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Names without suffix; all images where left out."
    )
    limit: Count | None = Field(None, description="Only the first so many.")

    @model_validator(mode="after")
    def _check_origin(self) -> Photographs:
        if (self.package is None) == (self.folder is None):
            raise ValueError("photographs are of one of package and folder")
        return self


class Stacks(Settings):
    """Stacks of shots to fuse."""

    folder: str = Field(description="Folder with one subfolder of shots a stack.")
    peers: dict[Name, str] = Field({}, description="Folders of other methods' results, STACK.png, by name.")
    commands: dict[Name, Command] = Field(
        {},
        description="Other fusion programs by name, run where they are installed: a command line in which `{shots}` "
        "stands for the shots and `{fused}` for the PNG to write.",
    )


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
