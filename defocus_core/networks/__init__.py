"""The networks, one module each, whose name is the backbone's: ``build(levels)`` makes it untrained.

A file put here is a backbone, and no other one's results depend on it.
"""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

if TYPE_CHECKING:
    from torch import nn

DENSE = ("scenenet",)  # answer for pixels and learn from scenes; the others for 32x32 patches


def names() -> list[str]:
    """Return the names of all backbones."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def build(name: str, levels: int) -> nn.Module:
    """Build a network, untrained: (N, 1, 32, 32), or of a colour network (N, 3, 32, 32), to (N, levels).

    Raises
    ------
    ValueError
        If there is no backbone of that name.
    """
    if name not in names():
        raise ValueError(f"no backbone {name!r}{meant(name, names())}")
    return importlib.import_module(f"{__name__}.{name}").build(levels)


def of_weights(path: str | Path) -> str:
    """Return the name of the backbone whose weights a ``.safetensors`` file holds.

    Raises
    ------
    ValueError
        If there is no such file, or it holds the weights of none.
    """
    if not Path(path).is_file():
        raise ValueError(f"no model file {str(path)!r}")
    try:
        with safe_open(path, "np") as file:
            name = (file.metadata() or {}).get("backbone")
    except SafetensorError as error:
        raise ValueError(f"{path}: not weights of this project ({error})") from error
    if name not in names():
        raise ValueError(f"{path}: not weights of this project (their backbone is {name!r})")
    return name


def meant(name: str, known: list[str]) -> str:
    """Return what an unknown name probably stands for, and all that are known."""
    close = difflib.get_close_matches(name, known, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ""
    return f"{guess} (known: {', '.join(known)})"
