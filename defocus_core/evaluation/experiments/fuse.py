"""Stacks of shots fused by several methods: scenes whose all-in-focus image is known, and sets of stacks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from defocus_core.applications.fusion.decide import FusionConfig
from defocus_core.applications.fusion.stack import Fusion, fuse
from defocus_core.blur.rendering import Scene, render_focus_stack
from defocus_core.evaluation import fusion_baselines, fusion_metrics, metrics
from defocus_core.evaluation.benchmark_sets import Stack
from defocus_core.evaluation.experiments.setup import Panels, Setup
from defocus_core.evaluation.known_scenes import center_squares, composite_scene, load_motorcycle
from defocus_core.io.color import as_float
from defocus_core.io.read import read, read_for_measuring
from defocus_core.io.write import write

COLUMNS, SHOWN = 4, 3


def run(
    setup: Setup,
    *,
    focus_quantiles: tuple[float, float],
    sigma_per_disparity: float,
    composites: int,
    size: int,
    photographs: str | Path | None = None,
    commands: dict[str, str] | None = None,
) -> tuple[pd.DataFrame, Panels]:
    """Fuse shots of scenes that are known all in focus.

    Parameters
    ----------
    focus_quantiles : of the motorcycle's disparity, in focus in the first and in the last shot
    sigma_per_disparity : sigma in pixels for one pixel of disparity
    composites : pairs of shots of one photograph before another
    size : side of a composite in pixels
    photographs : folder to compose from; None takes four that scikit-image carries
    commands : other programs, see `fusion_methods`

    Returns
    -------
    Scores, means over a kind of scenes, the best PSNR first, and panels of the first of each kind
    """
    sharp_seams = FusionConfig(seam_sigma=1)
    methods = {
        "fused": lambda shots: fuse(shots, model=setup.model),
        "fused, seams of 1 pixel": lambda shots: fuse(shots, model=setup.model, config=sharp_seams),
        **fusion_baselines.fusion_methods(commands or {}, model=setup.model),
    }
    drawn = composite_stacks(center_squares(size, photographs), composites, setup.seed)
    rows, panels = [], {}
    for name, scene, shots in [*_motorcycles(focus_quantiles, sigma_per_disparity), *drawn]:
        results, seconds = _run_timed(methods, shots)
        for method, result in results.items():
            picture = as_float(_fused_picture(result))
            row = {
                "scenes": name,
                "method": method,
                "psnr": metrics.psnr(picture, scene.image),
                "ssim": metrics.ssim(picture, scene.image),
                **fusion_metrics.fusion_scores(shots, picture),
                "seconds": seconds[method],
            }
            rows.append(row)
        if name not in panels:
            panels[name] = _stack_panels(setup, name, shots, results["fused"])
            panels[name] += [("guided filter", results["guided_filter"]), ("all in focus", scene.image)]
    table = pd.DataFrame(rows).groupby(["scenes", "method"], as_index=False).mean()
    return table.sort_values(["scenes", "psnr"], ascending=False), list(itertools.chain.from_iterable(panels.values()))


def fuse_stacks(
    setup: Setup,
    stacks: Iterable[Stack],
    *,
    peers: dict[str, Path],
    commands: dict[str, str],
    folder: Path,
) -> tuple[pd.DataFrame, Panels]:
    """Fuse stacks of which no all-in-focus image is known, beside other methods and their stored results.

    Parameters
    ----------
    stacks : of `list_stacks`
    peers : folders of other methods' pictures, named as the stacks, by method
    commands : other programs, see `fusion_methods`
    folder : where what was fused is written, STACK.png

    Returns
    -------
    Scores, one row a stack and method, and panels of the first three stacks
    """
    methods = {
        "fused": lambda shots: fuse(shots, model=setup.model),
        **fusion_baselines.fusion_methods(commands, model=setup.model),
    }
    rows, panels = [], []
    for index, stack in enumerate(stacks):
        shots = [read_for_measuring(path) for path in stack.shots]
        results, seconds = _run_timed(methods, shots)
        write(folder / f"{stack.name}.png", results["fused"].image)
        if index < SHOWN:
            panels += _stack_panels(setup, stack.name, shots, results["fused"])
        results |= {name: read(peer / f"{stack.name}.png") for name, peer in peers.items()}
        for method, result in results.items():
            scores = fusion_metrics.fusion_scores(shots, _fused_picture(result))
            rows.append({"method": method, "stack": stack.name, **scores, "seconds": seconds.get(method)})
    return pd.DataFrame(rows), panels


def _motorcycles(
    quantiles: tuple[float, float], sigma_per_disparity: float
) -> Iterator[tuple[str, Scene, list[np.ndarray]]]:
    scene = load_motorcycle()
    first, last = (float(np.quantile(scene.disparity, quantile)) for quantile in quantiles)
    three = [first, float(np.mean([first, last])), last]
    for name, focuses in (("motorcycle", [first, last]), ("three shots of the motorcycle", three)):
        yield name, scene, render_focus_stack(scene, focuses=focuses, sigma_per_disparity=sigma_per_disparity)


def composite_stacks(
    photographs: Sequence[np.ndarray], count: int, seed: int
) -> Iterator[tuple[str, Scene, list[np.ndarray]]]:
    """Yield kind, scene and two shots of one photograph before another, focused before and behind.

    Parameters
    ----------
    photographs : (H, W, 3) float32 RGB in [0, 1], of one size
    """
    rng = np.random.default_rng(seed)
    for _ in range(count):
        front, back = rng.choice(len(photographs), 2, replace=False)
        scene = composite_scene(photographs[front], photographs[back], rng)
        sigma_per_disparity = rng.uniform(1.5, 4)
        yield (
            "composites",
            scene,
            render_focus_stack(scene, focuses=(1.0, 0.0), sigma_per_disparity=sigma_per_disparity, layers=2),
        )


def _run_timed(methods: dict[str, Callable], shots: Sequence[np.ndarray]) -> tuple[dict, dict[str, float]]:
    """Return what each method makes of a stack, and its seconds."""
    results, seconds = {}, {}
    for name, method in methods.items():
        start = time.perf_counter()
        results[name] = method(shots)
        seconds[name] = time.perf_counter() - start
    return results, seconds


def _fused_picture(result: Fusion | np.ndarray) -> np.ndarray:
    return result.image if isinstance(result, Fusion) else result


def _stack_panels(setup: Setup, name: str, shots: Sequence[np.ndarray], fusion: Fusion) -> Panels:
    """Return six panels of a stack: its first two shots with their maps, and what was made of it."""
    two = [(f"{name}, shot {index + 1}", shot) for index, shot in enumerate(shots[:2])]
    maps = [(f"sigma of shot {index + 1} (pixels)", setup.map(shot)) for index, (_, shot) in enumerate(two)]
    return [*two, *maps, ("fused", fusion.image), ("from shot", fusion.labels.astype(float))]
