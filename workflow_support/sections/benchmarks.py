"""Sections of maps and of what they are scored on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from defocus_core.maps.config import MapConfig
from defocus_core.settings import Flag, Settings, Whole
from defocus_core.training.config import Count
from workflow_support.sections.fields import Command, Model, Name, Package, Side


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
