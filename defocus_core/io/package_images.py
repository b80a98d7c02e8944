"""Photographs that installed packages carry."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

PACKAGES = {"skimage": ("scikit-image", "data"), "sklearn": ("scikit-learn", "datasets/images")}


def package_folder(name: str) -> Path:
    """Return the folder of photographs inside an installed package."""
    if name not in PACKAGES:
        raise ValueError(f"no package {name!r} with photographs; known: {', '.join(PACKAGES)}")
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no package {name!r} is installed", name=name)
    return Path(spec.origin).parent / PACKAGES[name][1]


def package_version(name: str) -> str:
    """Return the version of an installed package that carries photographs."""
    return importlib.metadata.version(PACKAGES[name][0])
