"""Griffe extension for the site: read this project's docstrings as they are written.

A parameter is one line, `name : shape, dtype, range and meaning`. numpydoc takes all of it for the type, so it
is moved to the description; types come from the signature. The text of Returns and Yields is one description. Names
of public functions and classes in backticks become links.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import Any

import griffe

SECTION = re.compile(r"^(\w[\w ]+)\n-{3,}\n((?:(?!^\w[\w ]+\n-{3,}\n).*\n?)*)", re.M)
ITEM = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) : (.*)$")
CODE = re.compile(r"(?<![`\[])`(\w+)`(?!`)")


def rewrite(docstring: str) -> str:
    """Return a docstring in which numpydoc finds meanings where they are written in the place of types."""

    def section(found: re.Match) -> str:
        title, body = found[1], found[2]
        if title in ("Parameters", "Attributes"):
            body = _items(body)
        elif title in ("Returns", "Yields"):
            body = _one_description(body)
        return f"{title}\n{'-' * len(title)}\n{body}"

    return SECTION.sub(section, docstring)


def link_names(docstring: str, targets: dict[str, str], own: set[str]) -> str:
    """Return a docstring in which known names, but for its object's own parameters, are links."""

    def link(found: re.Match) -> str:
        name = found[1]
        return f"[`{name}`][{targets[name]}]" if name in targets and name not in own else found[0]

    return CODE.sub(link, docstring)


def _items(body: str) -> str:
    lines = []
    for line in body.splitlines():
        found = ITEM.match(line)
        lines += [found[1], f"    {found[2]}"] if found else [line]
    return "\n".join(lines) + "\n\n"


def _one_description(body: str) -> str:
    lines = body.strip().splitlines()
    named = ITEM.match(lines[0])
    if named:
        lines[0] = ", ".join(f"`{name}`" for name in named[1].split(", ")) + f": {named[2]}"
    return ":\n" + "\n".join(f"    {line}" for line in lines) + "\n\n"


class Docstrings(griffe.Extension):
    """Rewrite the docstrings of a package once it is loaded."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite all docstrings below a package."""
        objects = list(_below(pkg))
        public = [thing for thing in objects if (thing.is_function or thing.is_class) and thing.parent.is_module]
        public = [thing for thing in public if not thing.name.startswith("_")]
        counts = Counter(thing.name for thing in public)
        targets = {thing.name: thing.path for thing in public if counts[thing.name] == 1}
        for thing in objects:
            if thing.is_class:
                _show_fields(thing)
            if thing.docstring:
                own = {parameter.name for parameter in getattr(thing, "parameters", ())} | {thing.name}
                thing.docstring.value = link_names(rewrite(thing.docstring.value), targets, own)


def _show_fields(model: griffe.Class) -> None:
    """Give a class of settings the signature and the parameters that its pydantic fields stand for."""
    fields = {
        name: field
        for name, field in model.members.items()
        if field.is_attribute and isinstance(field.value, griffe.ExprCall) and str(field.value.function) == "Field"
    }
    if not fields or not model.docstring:
        return
    parameters, told = [], []
    for name, field in fields.items():
        default, keywords = None, {}
        for argument in field.value.arguments:
            if isinstance(argument, griffe.ExprKeyword):
                keywords[argument.name] = argument.value
            else:
                default = argument
        meaning = ast.literal_eval(str(keywords["description"]))
        told.append(f"{name} : {meaning}\n")
        kind = griffe.ParameterKind.keyword_only
        parameters.append(griffe.Parameter(name, annotation=field.annotation, kind=kind, default=default))
    made = griffe.Function("__init__", parameters=griffe.Parameters(griffe.Parameter("self"), *parameters))
    model.set_member("__init__", made)
    model.docstring.value += "\n\nParameters\n----------\n" + "".join(told)


def _below(thing: griffe.Object) -> Any:
    yield thing
    for member in thing.members.values():
        if not member.is_alias and not (member.is_module and member.name.startswith("_")):
            yield from _below(member)
