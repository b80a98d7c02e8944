"""Write config/schema.yaml and the key table of config/README.md from the models: python tools/schema.py."""

import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic.fields import FieldInfo

from defocus_core.settings import Settings
from workflow_support.configuration import Config
from workflow_support.sections.fields import Partial

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- keys: made by `make schema` -->\n", "<!-- end of keys -->\n"
BOUNDS = {
    Ge: ("ge", ">="),
    Gt: ("gt", ">"),
    Le: ("le", "<="),
    Lt: ("lt", "<"),
    MultipleOf: ("multiple_of", "multiple of"),
}


def schema() -> str:
    """Return the JSON schema of the configuration, as YAML."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
    return "# Made by `make schema` from workflow_support/configuration.py.\n" + yaml.safe_dump(
        described, sort_keys=False, width=120, allow_unicode=True
    )


def key_table() -> str:
    """Return the table of all keys, in Markdown."""
    rows = ["| key | value | meaning |", "|---|---|---|", *_rows(Config, "", {})]
    return "\n".join(rows) + "\n"


def readme() -> str:
    """Return config/README.md with the table of all keys in its place."""
    before, rest = (ROOT / "config/README.md").read_text().split(BEGIN)
    return before + BEGIN + key_table() + END + rest.split(END)[1]


def _rows(model: type[Settings], prefix: str, told: dict[type, str]) -> Iterator[str]:
    """Yield a row for each key below a model; the keys of a model told before are not told again."""
    for key, field in model.model_fields.items():
        name = f"{prefix}{key}"
        models = list(_models(field.annotation, name))
        again = [told[inner] for inner, _ in models if inner in told]
        value = f"keys of `{again[0]}`" if again else _value(field)
        yield f"| `{name}` | {value} | {(field.description or '').replace('|', chr(92) + '|')} |"
        for inner, path in models:
            if inner not in told and not issubclass(inner, Partial):
                told[inner] = path
                yield from _rows(inner, f"{path}.", told)


def _models(annotation: Any, path: str) -> Iterator[tuple[type[Settings], str]]:
    """Yield the models within a type, each with the path at which its keys lie."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation, path
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _models(arguments[0], path)
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            yield from _models(argument, path)
    elif origin is dict:
        yield from _models(arguments[1], f"{path}.NAME")
    elif origin is list:
        yield from _models(arguments[0], path)


def _value(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    bounds = _bounds(field.metadata)
    default = "" if field.is_required() else _default(field.get_default(call_default_factory=True))
    return " ".join(filter(None, (kind, bounds))) + default


def _default(value: Any) -> str:
    if isinstance(value, Settings) or value in ({}, []):
        return ""
    return f"; default `{yaml.safe_dump(value).splitlines()[0]}`"


def _bounds(metadata: Iterable[Any]) -> str:
    found = []
    for item in metadata:
        for kind, (attribute, sign) in BOUNDS.items():
            if isinstance(item, kind):
                found.append(f"{sign} {getattr(item, attribute):g}")
        found += [_bounds(item.metadata)] if isinstance(item, FieldInfo) else []
    return ", ".join(filter(None, found))


def _kind(annotation: Any) -> str:  # noqa: PLR0911 - a kind a line
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return " ".join(filter(None, (_kind(arguments[0]), _bounds(arguments[1:]))))
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(argument) for argument in arguments))
    if origin is list:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"by name: {_kind(arguments[1])}"
    if annotation is type(None):
        return "null"
    names = {int: "whole number", float: "number", bool: "true or false", str: "text"}
    if annotation in names:
        return names[annotation]
    return "some keys of another section" if issubclass(annotation, Partial) else "keys below"


if __name__ == "__main__":
    (ROOT / "config/schema.yaml").write_text(schema())
    (ROOT / "config/README.md").write_text(readme())
