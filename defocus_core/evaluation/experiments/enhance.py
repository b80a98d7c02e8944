"""Photographs sharpened by several methods: what is gained, and what it costs in noise and overshoot."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from defocus_core.applications.enhance import enhance, enhancement_amount
from defocus_core.blur.rendering import Scene, render_defocus
from defocus_core.evaluation import metrics, sharpening_baselines
from defocus_core.evaluation.experiments.setup import Panels, Setup
from defocus_core.evaluation.known_scenes import embedded_scenes
from defocus_core.io.color import as_float, to_dtype, to_grey
from defocus_core.io.read import read_for_measuring

PARTS = {"in_focus": (0, 0.75), "slightly_blurred": (0.75, 2), "blurred": (2, np.inf)}  # sigma in pixels
NOISE = 2 / 255  # standard deviation of what is added to measure the gain of noise
SHOWN, COLUMNS = "motorcycle_middle", 3

Method = Callable[[np.ndarray], np.ndarray]


def run(setup: Setup, *, max_sigmas: Sequence[float], size: int) -> tuple[pd.DataFrame, Panels]:
    """Sharpen scenes blurred by a known map.

    Parameters
    ----------
    max_sigmas : sigma in pixels of each run over `embedded_scenes`
    size : side of a composite in pixels

    Returns
    -------
    Scores (the mean over the scenes for each largest sigma and method first, then each scene), and panels
    """
    rng = np.random.default_rng(setup.seed)
    rows: list[dict] = []
    panels: Panels = []
    for sigma in max_sigmas:
        for name, scene, lens in embedded_scenes(seed=setup.seed, size=size, max_sigma=sigma):
            found, shown = _of_scene(setup, scene, lens, rng)
            rows += [{"max_sigma": sigma, "scene": name, **row} for row in found]
            panels = panels or (shown if name == SHOWN else [])
    each = pd.DataFrame(rows)
    groups = each.drop(columns="scene").groupby(["max_sigma", "method"], as_index=False, sort=False)
    means = groups.mean()
    means.insert(1, "scene", "mean")
    return pd.concat([means, each]), panels


def _of_scene(setup: Setup, scene: Scene, lens: dict, rng: np.random.Generator) -> tuple[list[dict], Panels]:
    light, truth = render_defocus(scene, **lens)
    image = as_float(to_dtype(light, np.uint8))
    sigma = setup.map(image)
    methods = _methods({"adaptive": sigma, "adaptive, true map": truth})
    noisy = np.clip(image + rng.normal(0, NOISE, image.shape).astype(np.float32), 0, 1)
    results = {method: run(image) for method, run in methods.items()}
    inside = {part: (low <= truth) & (truth < high) for part, (low, high) in PARTS.items()}
    far = inside["blurred"]
    rows = [
        {
            "method": method,
            "psnr": metrics.psnr(result, scene.image),
            "ssim": metrics.ssim(result, scene.image),
            **metrics.by_part(result, scene.image, inside),
            "noise_gain_blurred": _deviation(methods[method](noisy) - result, far) / _deviation(noisy - image, far),
            "overshoot": metrics.overshoot(to_grey(result), to_grey(scene.image)),
        }
        for method, result in results.items()
    ]
    panels = [("before", image)]
    panels += [(method, results[method]) for method in ("adaptive", *sharpening_baselines.METHODS)]
    panels += [("sharp scene", scene.image), ("sigma (pixels)", sigma)]
    panels += [("gain", enhancement_amount(sigma)), ("true sigma (pixels)", truth)]
    return rows, panels


def _methods(maps: dict[str, np.ndarray]) -> dict[str, Method]:
    """Return the ways to sharpen a photograph: not at all, by each of its maps, and without one."""
    adaptive: dict[str, Method] = {name: functools.partial(enhance, sigma=sigma) for name, sigma in maps.items()}
    return {"input": as_float} | adaptive | sharpening_baselines.METHODS


def _deviation(change: np.ndarray, where: np.ndarray) -> float:
    return float(change[where].std()) if where.any() else float("nan")


def without_truth(
    setup: Setup, photographs: Iterable[Path], scores: dict[str, Callable[[np.ndarray], float]]
) -> pd.DataFrame:
    """Sharpen photographs of which no sharper one is known.

    Parameters
    ----------
    photographs : files
    scores : without a reference, of a float32 RGB picture, by name

    Returns
    -------
    One row a photograph and method, one column a score
    """
    rows, photographs = [], list(photographs)
    stems = Counter(path.stem for path in photographs)
    for path in photographs:
        name = path.stem if stems[path.stem] == 1 else f"{path.parent.name}/{path.name}"
        image = as_float(read_for_measuring(path))
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
        for method, run in _methods({"adaptive": setup.map(image)}).items():
            result = run(image)
            found = {name: score(result) for name, score in scores.items()}
            rows.append({"method": method, "photograph": name, **found})
    return pd.DataFrame(rows)


def summary(each: pd.DataFrame) -> pd.DataFrame:
    """Return the means of `without_truth` a method, and the share of photographs that got better.

    All its scores are the lower, the better; `SCORE_better` is the share whose score fell below that of
    the photograph as it was.
    """
    wide = each.pivot(index="photograph", columns="method")
    names = [name for name in each.columns if name not in ("photograph", "method")]
    better = {f"{name}_better": wide[name].lt(wide[name]["input"], axis=0).mean() for name in names}
    means = each.drop(columns="photograph").groupby("method", sort=False).mean()
    return means.join(pd.DataFrame(better)).reset_index()
