"""Kinds of values that sections share, and sections that replace part of another."""

from __future__ import annotations

import copy
import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, create_model, model_serializer

from defocus_core.settings import Settings

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
