"""Scenes at a small aperture, magnified, against the same at a wide one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd

from defocus_core.applications.magnify import magnify, magnify_published
from defocus_core.blur.rendering import Scene, render_defocus
from defocus_core.evaluation import metrics
from defocus_core.evaluation.experiments.setup import Panels, Setup
from defocus_core.evaluation.known_scenes import center_squares, composite_scene, load_motorcycle
from defocus_core.io.color import linear_to_srgb, srgb_to_linear

COLUMNS = 6


def run(
    setup: Setup,
    *,
    focus_disparity: float,
    sigma_per_disparity: float,
    aperture_ratio: float,
    composites: int,
    size: int,
) -> tuple[pd.DataFrame, Panels]:
    """Magnify scenes photographed at a small aperture.

    Parameters
    ----------
    focus_disparity, sigma_per_disparity : of the motorcycle at the small aperture, see `thin_lens_sigma`
    aperture_ratio : ratio of the two apertures, above 1
    composites : scenes of one photograph in focus before another
    size : side of a composite in pixels

    Returns
    -------
    Scores, means over a kind of scenes, and panels of the first of each kind
    """
    motorcycle = (
        "motorcycle",
        load_motorcycle(),
        {"focus": focus_disparity, "sigma_per_disparity": sigma_per_disparity, "layers": 24},
    )
    rows: list[dict] = []
    panels: dict[str, Panels] = {}
    for name, scene, lens in [motorcycle, *_composites(composites, size, setup.seed)]:
        narrow, truth = _render_light(scene, **lens)
        wide, asked = _render_light(
            scene, **lens | {"sigma_per_disparity": lens["sigma_per_disparity"] * aperture_ratio}
        )
        sigma = setup.map(narrow)
        results = {
            "equations 12 and 13": magnify_published(narrow, sigma),
            "wider aperture": magnify(narrow, sigma, aperture_ratio=aperture_ratio),
            "wider aperture, true map": magnify(narrow, truth, aperture_ratio=aperture_ratio, sharp_sigma=0),
            "true wide aperture": wide,
        }
        found = _scores({"input": narrow, **results}, scene, wide, asked)
        rows += [{"scenes": name, **row} for row in found]
        panels.setdefault(name, [(f"{name}, before", narrow), ("sigma (pixels)", sigma), *results.items()])
    table = pd.DataFrame(rows).groupby(["scenes", "method"], as_index=False, sort=False).mean()
    return table, list(itertools.chain.from_iterable(panels.values()))


def _composites(count: int, size: int, seed: int) -> Iterator[tuple[str, Scene, dict]]:
    rng = np.random.default_rng(seed)
    photographs = center_squares(size)
    for _ in range(count):
        front, back = rng.choice(len(photographs), 2, replace=False)
        scene = composite_scene(photographs[front], photographs[back], rng)
        yield "composites", scene, {"focus": 1.0, "sigma_per_disparity": rng.uniform(1, 2), "layers": 2}


def _render_light(
    scene: Scene, *, focus: float, sigma_per_disparity: float, layers: int
) -> tuple[np.ndarray, np.ndarray]:
    """Photograph a scene as light through a disk-shaped aperture; return picture and sigma."""
    lit = Scene(srgb_to_linear(scene.image), scene.disparity)
    light, sigma = render_defocus(
        lit, focus=focus, sigma_per_disparity=sigma_per_disparity, layers=layers, aperture="disk"
    )
    return linear_to_srgb(light), sigma


def _scores(results: dict[str, np.ndarray], scene: Scene, wide: np.ndarray, asked: np.ndarray) -> Iterator[dict]:
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
    return srgb_to_linear(picture).mean(2)
