"""Typed settings whose errors name the key, the value and the choices."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]

_BOUNDS = {
    "greater_than_equal": ("is at least", "ge"),
    "greater_than": ("is above", "gt"),
    "less_than_equal": ("is at most", "le"),
    "less_than": ("is below", "lt"),
}
_KINDS = {
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "finite_number": "a finite number",
}


class SettingsError(ValueError):
    """Settings that cannot work.

    Parameters
    ----------
    problems : pairs of a key, its parts joined by dots, and what is wrong with it
    """

    def __init__(self, problems: list[tuple[str, str]]):
        self.problems = problems
        super().__init__("; ".join(" ".join(filter(None, problem)) for problem in problems))


class Settings(BaseModel):
    """A group of settings; immutable, checked when it is made.

    Raises
    ------
    SettingsError
        That names every wrong or unknown key at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any):
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(_problems(error, type(self))) from None

    def changed(self, **values: Any) -> Settings:
        """Return a copy with other values, checked like the first."""
        return type(self)(**{**dict(self), **values})


def did_you_mean(name: str, known: list[str]) -> str:
    """Return what an unknown name probably stands for, and all that are known."""
    close = difflib.get_close_matches(name, known, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ""
    return f"{guess} (known: {', '.join(known)})"


def _problems(error: ValidationError, model: type[Settings]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for detail in error.errors(include_url=False):
        key = ".".join(map(str, detail["loc"]))
        inner = detail.get("ctx", {}).get("error")
        if isinstance(inner, SettingsError):
            found += [(".".join(filter(None, (key, below))), text) for below, text in inner.problems]
        elif inner is not None:
            found.append((key, str(inner)))
        else:
            found.append((key, _explain(dict(detail), model) + _meaning(detail["loc"], model)))
    return found


def _explain(detail: dict[str, Any], model: type[Settings]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        return f"is no known key{did_you_mean(name, list(model.model_fields))}"
    if kind in _BOUNDS:
        said, bound = _BOUNDS[kind]
        return f"{said} {context[bound]}, not {value}"
    if kind == "literal_error":
        return f"is one of {context['expected'].replace(' or ', ', ')}, not {value!r}"
    if kind in _KINDS:
        return f"is {_KINDS[kind]}, not {value!r}{_as_yaml_number(value)}"
    return f"{detail['msg']}, not {value!r}"


def _meaning(location: tuple, model: type[Settings]) -> str:
    field = model.model_fields.get(str(location[0])) if location else None
    return f" -- {field.description}" if field and field.description else ""


def _as_yaml_number(written: object) -> str:
    """Say how YAML 1.1 reads a number from what it took for text, such as 1e-3."""
    if not isinstance(written, str):
        return ""
    try:
        return f"; YAML takes it for text, write {float(written)!r}"
    except ValueError:
        return ""
