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

from defocus_core.constants import PATCH_SIZE
from defocus_core.io.color import to_dtype, to_grey
from defocus_core.io.errors import ImageError
from defocus_core.io.read import MAX_PIXELS, read_for_measuring
from defocus_core.training.patches import PatchConfig, patch_sharpness
from workflow_support.sources import SourceError, source_files

SPLITS = ("train", "validation", "test")
MAX_HASH_DISTANCE = 8  # bits of 64 in which the perceptual hashes of one scene may differ


@dataclass
class ManifestRow:
    """One line of manifest.csv; `skipped` is empty or the reason why the file is not used."""

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


def build_manifest(
    sources: Iterable[dict],
    *,
    config: PatchConfig,
    split_fractions: dict[str, float],
    max_pixels: int = MAX_PIXELS,
) -> pd.DataFrame:
    """List the photographs of all sources, with the split of each.

    Parameters
    ----------
    sources : see `source_files`; each also has `licence`
    config : its stride and sharpness decide what counts as a sharp patch
    split_fractions : fractions of scenes (photographs alike are one) in `train`, `validation` and `test`, summing to 1
    max_pixels : a larger image is skipped

    Returns
    -------
    table with the columns of `ManifestRow`

    Raises
    ------
    SourceError
        If a source is missing, every file was skipped, or fewer than three scenes remain.
    """
    rows = [_row(path, source, config, max_pixels) for source in sources for path in source_files(source)]
    used = [row for row in rows if not row.skipped]
    if not used:
        reasons = sorted({row.skipped for row in rows}) or ["no files"]
        raise SourceError(f"all {len(rows)} files were skipped: {', '.join(reasons)}")
    _group_scenes(used)
    _assign_splits(used, split_fractions)
    table = pd.DataFrame([asdict(row) for row in rows])
    return table.drop(columns="note").assign(note=[row.note for row in rows])


def _row(path: Path, source: dict, config: PatchConfig, max_pixels: int) -> ManifestRow:
    kind = next(kind for kind in ("package", "url", "folder") if source.get(kind))
    name = f"{kind}:{source[kind]}"
    place = f"{name}/{path.name}" if kind == "package" else str(path)
    row = ManifestRow(place, name, source["licence"])
    data = path.read_bytes()
    row.sha256 = hashlib.sha256(data).hexdigest()
    try:
        image = read_for_measuring(path, max_pixels=max_pixels)
    except ImageError as error:
        row.skipped, row.note = error.reason, str(error)
        return row
    row.height, row.width = image.shape[:2]
    if min(image.shape[:2]) < PATCH_SIZE:
        row.skipped = "tiny"
        row.note = f"{path}: {row.width}x{row.height} pixels, smaller than a patch of {PATCH_SIZE}"
        return row
    levels = to_grey(image)
    row.phash = str(imagehash.phash(Image.fromarray(to_dtype(levels, np.uint8))))
    row.sharp_patches = int((patch_sharpness(levels, stride=config.stride) > config.min_sharpness).sum())
    return row


def _group_scenes(rows: list[ManifestRow]) -> None:
    """Give photographs of one scene one name: the least sha256 of those that are alike."""
    codes = np.array([int(row.phash, 16) for row in rows], np.uint64)
    parent = list(range(len(rows)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i in range(len(rows)):
        alike = np.bitwise_count(codes[i + 1 :] ^ codes[i]) <= MAX_HASH_DISTANCE
        for j in np.flatnonzero(alike) + i + 1:
            parent[root(int(j))] = root(i)
    members: dict[int, list[ManifestRow]] = {}
    for i, row in enumerate(rows):
        members.setdefault(root(i), []).append(row)
    for group in members.values():
        name = min(row.sha256 for row in group)[:16]
        for row in group:
            row.scene = name


def _assign_splits(rows: list[ManifestRow], split_fractions: dict[str, float]) -> None:
    """Split by a hash of the scene, so that a new photograph moves no other one.

    A split that the hash leaves without a sharp patch takes the scene nearest to it that has some.
    """
    scenes = sorted({row.scene for row in rows})
    sharp = {row.scene for row in rows if row.sharp_patches}
    if len(scenes) < len(SPLITS):
        raise SourceError(f"{len(scenes)} scenes cannot fill {', '.join(SPLITS)}; add photographs")
    place = {s: int(hashlib.sha256(s.encode()).hexdigest()[:8], 16) / 16**8 for s in scenes}
    edges = np.cumsum([split_fractions[name] for name in SPLITS])
    chosen = {s: SPLITS[min(int(np.searchsorted(edges, place[s], "right")), 2)] for s in scenes}
    for index, name in enumerate(SPLITS):
        filled = [chosen[s] for s in sharp]
        spare = [s for s in sorted(sharp) if filled.count(chosen[s]) > 1]
        if name not in filled and spare:
            middle = edges[index] - split_fractions[name] / 2
            chosen[min(spare, key=lambda s: abs(place[s] - middle))] = name
    for row in rows:
        row.split = chosen[row.scene]
