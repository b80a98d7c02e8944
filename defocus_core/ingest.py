"""Gather sharp photographs into a manifest, split so that no scene is on two sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from . import images, patches
from .sources import SourceError, files

SPLITS = ("train", "validation", "test")
SAME_SCENE = 8  # bits of 64 in which the perceptual hashes of one scene may differ


@dataclass
class Row:
    """One line of manifest.csv; ``skipped`` is empty or the reason why the file is not used."""

    path: str
    source: str
    licence: str
    sha256: str = ""
    phash: str = ""
    width: int = 0
    height: int = 0
    scene: str = ""
    split: str = ""
    sharp_patches: int = 0
    skipped: str = ""
    note: str = field(default="", repr=False)


def manifest(
    sources: Iterable[dict],
    *,
    recipe: patches.Recipe,
    shares: dict[str, float],
    max_pixels: int = images.MAX_PIXELS,
) -> pd.DataFrame:
    """List the photographs of all sources, with the split of each.

    Parameters
    ----------
    sources : see :func:`files`; each also has ``licence``
    recipe : its stride and sharpness decide what counts as a sharp patch
    shares : of scenes (photographs alike are one) in ``train``, ``validation`` and ``test``, summing to 1
    max_pixels : a larger image is skipped

    Returns
    -------
    table with the columns of :class:`Row`

    Raises
    ------
    SourceError
        If a source is missing, every file was skipped, or fewer than three scenes remain.
    """
    rows = [_row(path, source, recipe, max_pixels) for source in sources for path in files(source)]
    used = [row for row in rows if not row.skipped]
    if not used:
        reasons = sorted({row.skipped for row in rows}) or ["no files"]
        raise SourceError(f"all {len(rows)} files were skipped: {', '.join(reasons)}")
    _name_scenes(used)
    _split(used, shares)
    table = pd.DataFrame([asdict(row) for row in rows])
    return table.drop(columns="note").assign(note=[row.note for row in rows])


def _row(path: Path, source: dict, recipe: patches.Recipe, max_pixels: int) -> Row:
    kind = next(kind for kind in ("package", "url", "folder") if kind in source)
    name = f"{kind}:{source[kind]}"
    place = f"{name}/{path.name}" if "package" in source else str(path)
    row = Row(place, name, source["licence"])
    data = path.read_bytes()
    row.sha256 = hashlib.sha256(data).hexdigest()
    try:
        image = images.read(path, max_pixels=max_pixels)
    except images.ImageError as error:
        row.skipped, row.note = error.reason, str(error)
        return row
    row.height, row.width = image.shape[:2]
    if min(image.shape[:2]) < patches.SIZE:
        row.skipped = "tiny"
        row.note = f"{path}: {row.width}x{row.height} pixels, smaller than a patch of {patches.SIZE}"
        return row
    levels = images.grey(image)
    row.phash = str(imagehash.phash(Image.fromarray(images.as_depth(levels, np.uint8))))
    row.sharp_patches = int((patches.sharpness(levels, stride=recipe.stride) > recipe.sharpness).sum())
    return row


def _name_scenes(rows: list[Row]) -> None:
    """Give photographs of one scene one name: the least sha256 of those that are alike."""
    codes = np.array([int(row.phash, 16) for row in rows], np.uint64)
    parent = list(range(len(rows)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i in range(len(rows)):
        alike = np.bitwise_count(codes[i + 1 :] ^ codes[i]) <= SAME_SCENE
        for j in np.flatnonzero(alike) + i + 1:
            parent[root(int(j))] = root(i)
    members: dict[int, list[Row]] = {}
    for i, row in enumerate(rows):
        members.setdefault(root(i), []).append(row)
    for group in members.values():
        name = min(row.sha256 for row in group)[:16]
        for row in group:
            row.scene = name


def _split(rows: list[Row], shares: dict[str, float]) -> None:
    """Split by a hash of the scene, so that a new photograph moves no other one.

    A split that the hash leaves without a sharp patch takes the scene nearest to it that has some.
    """
    scenes = sorted({row.scene for row in rows})
    sharp = {row.scene for row in rows if row.sharp_patches}
    if len(scenes) < len(SPLITS):
        raise SourceError(f"{len(scenes)} scenes cannot fill {', '.join(SPLITS)}; add photographs")
    place = {s: int(hashlib.sha256(s.encode()).hexdigest()[:8], 16) / 16**8 for s in scenes}
    edges = np.cumsum([shares[name] for name in SPLITS])
    chosen = {s: SPLITS[min(int(np.searchsorted(edges, place[s], "right")), 2)] for s in scenes}
    for index, name in enumerate(SPLITS):
        filled = [chosen[s] for s in sharp]
        spare = [s for s in sorted(sharp) if filled.count(chosen[s]) > 1]
        if name not in filled and spare:
            middle = edges[index] - shares[name] / 2
            chosen[min(spare, key=lambda s: abs(place[s] - middle))] = name
    for row in rows:
        row.split = chosen[row.scene]
