"""How wrong fused pictures look on rendered stacks: python tools/rendered_stacks.py [FOLDER OF SHARP PHOTOGRAPHS].

24 stacks of 320x320 pixels: six kinds of layered scenes by four cameras, from 5 shots without noise to 9 with JPEG.
Visibly wrong pixels in percent, of all stacks and of each kind of scene, and PSNR to the truth.
"""

import sys

import numpy as np
import pandas as pd

from defocus_core.applications.fusion.stack import fuse
from defocus_core.evaluation import fusion_baselines, metrics
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.evaluation.rendered_stacks import Camera, layered_scenes, render_stack, visible_errors
from defocus_core.io.color import as_float, to_dtype

CAMERAS = (
    Camera(shots=5, sigma_per_disparity=6),
    Camera(shots=7, sigma_per_disparity=10, noise=1.5),
    Camera(shots=5, sigma_per_disparity=8, noise=4, jpeg=90),
    Camera(shots=9, sigma_per_disparity=8, noise=0.4, jpeg=95),
)


def table(photographs: list[np.ndarray]) -> pd.DataFrame:
    """Return one row a method: visibly wrong pixels in percent, of each kind of scene and of all, and PSNR."""
    methods = {"fused": lambda shots: fuse(shots).image, **fusion_baselines.METHODS}
    rng, rows = np.random.default_rng(0), []
    for camera in CAMERAS:
        for name, scene in layered_scenes(photographs, rng):
            stack = render_stack(name, scene, camera, rng)
            for method, run in methods.items():
                fused = run(stack.shots)
                picture = fused if fused.dtype == np.uint8 else to_dtype(fused, np.uint8)
                wrong = 100 * visible_errors(picture, stack).mean()
                psnr = metrics.psnr(as_float(picture), stack.truth)
                rows.append({"method": method, "scene": name, "wrong": wrong, "psnr": psnr})
    each = pd.DataFrame(rows)
    kinds = each.pivot_table(index="method", columns="scene", values="wrong", sort=False)
    return kinds.join(each.groupby("method")[["wrong", "psnr"]].mean()).sort_values("wrong")


if __name__ == "__main__":
    print(table(center_squares(320, *sys.argv[1:2])).round(2).to_markdown())
