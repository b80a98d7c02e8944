"""Scenes at a small aperture, magnified, against the same at a wide one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd

from .. import images, magnify, metrics, scenes
from . import Panels, Setup

COLUMNS = 6


def run(
    setup: Setup, *, focus: float, strength: float, factor: float, composites: int, size: int
) -> tuple[pd.DataFrame, Panels]:
    """Magnify scenes photographed at a small aperture.

    Parameters
    ----------
    focus, strength : of the motorcycle at the small aperture, see :func:`defocus_core.scenes.thin_lens_sigma`
    factor : ratio of the two apertures, above 1
    composites : scenes of one photograph in focus before another
    size : side of a composite in pixels

    Returns
    -------
    Scores, means over a kind of scenes, and panels of the first of each kind
    """
    motorcycle = ("motorcycle", scenes.motorcycle(), {"focus": focus, "strength": strength, "layers": 24})
    rows, panels = [], {}
    for name, scene, lens in [motorcycle, *_composites(composites, size, setup.seed)]:
        narrow, truth = _taken(scene, **lens)
        wide, asked = _taken(scene, **lens | {"strength": lens["strength"] * factor})
        sigma = setup.map(narrow)
        results = {
            "equations 12 and 13": magnify.magnify(narrow, sigma),
            "wider aperture": magnify.widen(narrow, sigma, factor=factor),
            "wider aperture, true map": magnify.widen(narrow, truth, factor=factor, in_focus=0),
            "true wide aperture": wide,
        }
        found = _scores({"input": narrow, **results}, scene, wide, asked)
        rows += [{"scenes": name, **row} for row in found]
        panels.setdefault(name, [(f"{name}, before", narrow), ("sigma (pixels)", sigma), *results.items()])
    table = pd.DataFrame(rows).groupby(["scenes", "method"], as_index=False, sort=False).mean()
    return table, list(itertools.chain.from_iterable(panels.values()))


def _composites(count: int, size: int, seed: int) -> Iterator[tuple[str, scenes.Scene, dict]]:
    rng = np.random.default_rng(seed)
    photographs = scenes.squares(size)
    for _ in range(count):
        front, back = rng.choice(len(photographs), 2, replace=False)
        scene = scenes.composite(photographs[front], photographs[back], rng)
        yield "composites", scene, {"focus": 1.0, "strength": rng.uniform(1, 2), "layers": 2}


def _taken(scene: scenes.Scene, **lens) -> tuple[np.ndarray, np.ndarray]:
    """Photograph a scene as light through a disk-shaped aperture; return picture and sigma."""
    lit = scenes.Scene(images.to_light(scene.image), scene.depth)
    light, sigma = scenes.photograph(lit, **lens, aperture="disk")
    return images.from_light(light), sigma


def _scores(
    results: dict[str, np.ndarray], scene: scenes.Scene, wide: np.ndarray, asked: np.ndarray
) -> Iterator[dict]:
    """Score pictures against the wide aperture's, and the blur that their background reached."""
    candidates = np.arange(0, 1.5 * asked.max(), 0.25)
    background = asked > 0.5 * asked.max()
    for method, result in results.items():
        reached = metrics.matched_sigma(_grey_light(result), _grey_light(scene.image), candidates)
        yield {
            "method": method,
            "psnr": metrics.psnr(result, wide),
            "ssim": metrics.ssim(result, wide),
            "sigma_asked": float(asked[background].mean()),
            "sigma_reached": float(np.nanmean(reached[background])),
        }


def _grey_light(picture: np.ndarray) -> np.ndarray:
    """Return the light of a picture's grey levels, in which blur is linear."""
    return images.to_light(picture).mean(2)
