"""Focus stacks of rendered scenes fused by several methods, and crops of real stacks beside them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from defocus_core.applications.fusion.stack import fuse
from defocus_core.blur.focus_stacks import Camera, RenderedStack, layered_scenes, render_stack
from defocus_core.evaluation import fusion_baselines, metrics
from defocus_core.evaluation.experiments.setup import Panels, Setup
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.evaluation.rendered_stacks import nearest_shots, sharpest_shots, visible_errors
from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.listing import list_images
from defocus_core.io.read import read

COLUMNS = 4
CAMERAS = (
    Camera(shots=5, sigma_per_disparity=6),
    Camera(shots=7, sigma_per_disparity=10, noise=1.5),
    Camera(shots=5, sigma_per_disparity=8, noise=4, jpeg=90),
    Camera(shots=9, sigma_per_disparity=8, noise=0.4, jpeg=95),
)
BOUNDS = {"sharpest_shot": sharpest_shots, "nearest_shot": nearest_shots}  # which know the truth
Method = Callable[[Sequence[np.ndarray]], np.ndarray]


def run(
    setup: Setup,
    *,
    size: int,
    cameras: int = len(CAMERAS),
    photographs: str | Path | None = None,
    commands: dict[str, str] | None = None,
    crops: Sequence[dict] = (),
) -> tuple[pd.DataFrame, Panels]:
    """Fuse rendered stacks, and real ones of which crops are shown.

    Parameters
    ----------
    size : side of a scene in pixels
    cameras : how many of `CAMERAS`, each of which photographs six kinds of scenes
    photographs : folder to compose from; None takes four that scikit-image carries
    commands : other programs, see `fusion_methods`
    crops : of real stacks: `folder`, and `top`, `left` and `side` of the crop in pixels

    Returns
    -------
    Scores of each kind of scene and method, the fewest visibly wrong pixels first, and panels of the crops, or of the
    first rendered stack where there are none

    Raises
    ------
    ValueError
        If a crop has no shots, or reaches beyond them.
    """
    for index, crop in enumerate(crops):
        _check_crop(f"crops.{index}", **crop)
    methods: dict[str, Method] = {
        "fused": lambda shots: fuse(shots, model=setup.model).image,
        **fusion_baselines.fusion_methods(commands or {}, model=setup.model),
    }
    table, panels = score_methods(methods, center_squares(size, photographs), CAMERAS[:cameras], seed=setup.seed)
    for crop in crops:
        panels += _crop_panels(methods, **crop)
    return table, panels


def score_methods(
    methods: dict[str, Method], photographs: Sequence[np.ndarray], cameras: Sequence[Camera], *, seed: int
) -> tuple[pd.DataFrame, Panels]:
    """Return scores of methods on stacks of six kinds of scenes by each camera, and panels of the first.

    Parameters
    ----------
    methods : name -> function of the shots
    photographs : see `layered_scenes`
    seed : draws the scenes and the noise

    Returns
    -------
    One row a kind of scene and method, and a mean over the kinds: visibly wrong pixels in percent, PSNR and SSIM to
    the truth, seconds a shot; and panels. `BOUNDS` are two methods more, without seconds: choices by the truth, which
    say what choosing among the shots can reach
    """
    rng, rows, panels = np.random.default_rng(seed), [], []
    for camera in cameras:
        for name, scene in layered_scenes(photographs, rng):
            stack = render_stack(name, scene, camera, rng)
            for method, fused_by in methods.items():
                start = time.perf_counter()
                fused = fused_by(stack.shots)
                seconds = (time.perf_counter() - start) / len(stack.shots)
                picture = fused if fused.dtype == np.uint8 else to_dtype(fused, np.uint8)
                rows.append({"method": method, **_scores(picture, stack), "seconds": seconds})
                if camera == cameras[0] and method == "fused":
                    panels += [(name, stack.truth), ("fused", picture)]
            rows += [{"method": bound, **_scores(picked_by(stack), stack)} for bound, picked_by in BOUNDS.items()]
    each = pd.DataFrame(rows).groupby(["scenes", "method"], as_index=False, sort=False).mean()
    mean = each.groupby("method", as_index=False).mean(numeric_only=True).assign(scenes="all")
    return pd.concat([each, mean]).sort_values(["scenes", "wrong"], ignore_index=True), panels


def _scores(picture: np.ndarray, stack: RenderedStack) -> dict[str, str | float]:
    return {
        "scenes": stack.name,
        "wrong": 100 * visible_errors(picture, stack).mean(),
        "psnr": metrics.psnr(as_float(picture), stack.truth),
        "ssim": metrics.ssim(as_float(picture), stack.truth),
    }


def _check_crop(key: str, *, folder: str, top: int, left: int, side: int) -> None:
    shots = list_images(folder)
    if not shots:
        raise ValueError(f"{key}: no shots in {folder!r}")
    height, width = read(shots[0]).shape[:2]
    if top + side > height or left + side > width:
        raise ValueError(
            f"{key}: rows {top} to {top + side} and columns {left} to {left + side} of {folder!r}, whose shots have "
            f"{height} rows and {width} columns"
        )


def _crop_panels(methods: dict[str, Method], *, folder: str, top: int, left: int, side: int) -> Panels:
    """Return what each method makes of a part of a real stack, and a part around it that decides with it."""
    around = max(side // 2, 64)
    rows, columns = (slice(max(0, at - around), at + side + around) for at in (top, left))
    inner = tuple(slice(at - part.start, at - part.start + side) for at, part in ((top, rows), (left, columns)))
    shots = [np.ascontiguousarray(read(path)[rows, columns]) for path in list_images(folder)]
    return [(f"{Path(folder).name}, {name}", as_float(method(shots))[inner]) for name, method in methods.items()]
