"""Find networks by name."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from defocus_core.settings import did_you_mean

if TYPE_CHECKING:
    from torch import nn

FOLDERS = ("backbones", "dense")


def backbone_names() -> list[str]:
    """Return the names of all networks."""
    return sorted(_modules())


def patch_backbone_names() -> list[str]:
    """Return the networks that classify 32x32 patches."""
    return sorted(name for name, file in _modules().items() if file.parent.name == "backbones")


def dense_backbone_names() -> list[str]:
    """Return the networks that answer for pixels and learn from layered scenes."""
    return sorted(name for name, file in _modules().items() if file.parent.name == "dense")


def backbone_file(name: str) -> Path:
    """Return the module that builds a network.

    Raises
    ------
    ValueError
        If there is no backbone of that name.
    """
    modules = _modules()
    if name not in modules:
        raise ValueError(f"no backbone {name!r}{did_you_mean(name, sorted(modules))}")
    return modules[name]


def build_backbone(name: str, levels: int) -> nn.Module:
    """Build an untrained network by its name.

    Returns
    -------
    Module from (N, 1, 32, 32), or (N, 3, 32, 32) for a colour network, to (N, levels); a dense network is
    described by `DenseNetwork`

    Raises
    ------
    ValueError
        If there is no backbone of that name.

    Examples
    --------
    >>> import torch
    >>> build_backbone("blurnet", levels=20)(torch.zeros(3, 1, 32, 32)).shape[:2]
    torch.Size([3, 20])
    >>> build_backbone("blurnett", levels=20)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: no backbone 'blurnett'; did you mean 'blurnet'? (known: ...)
    """
    file = backbone_file(name)
    return importlib.import_module(f"defocus_core.networks.{file.parent.name}.{name}").build(levels)


def _modules() -> dict[str, Path]:
    here = Path(__file__).parent
    return {file.stem: file for folder in FOLDERS for file in (here / folder).glob("[!_]*.py")}


def backbone_of_weights(path: str | Path) -> str:
    """Return the name of the backbone whose weights a `.safetensors` file holds.

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
    if name not in backbone_names():
        raise ValueError(f"{path}: not weights of this project (their backbone is {name!r})")
    return name
