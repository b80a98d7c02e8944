"""What the decision of a fusion is worth: python tools/choose_fusion.py FOLDER OF SHARP PHOTOGRAPHS.

Twelve composites of two photographs (512 pixels, seed 7), as they are and with noise of 2 grey levels and
JPEG of quality 85, and three stacks of 24 such shots, focused from the left side of a photograph to the
right: fused by the default settings and by others. PSNR, Q_AB/F and NMI of the composites, twice, and PSNR of
the stacks.
"""

import sys
from dataclasses import replace

import cv2
import numpy as np

from defocus_core.applications.fusion.decide import FusionConfig
from defocus_core.applications.fusion.stack import fuse
from defocus_core.blur.rendering import Scene, render_focus_stack
from defocus_core.evaluation import fusion_metrics, metrics
from defocus_core.evaluation.experiments.fuse import composite_stacks
from defocus_core.evaluation.known_scenes import center_squares
from defocus_core.io.color import as_float, to_grey

VARIANTS = {
    "default": {},
    "no vote of the network": {"network_weight": 0},
    "twice as smooth": {"smoothness": 10},
    "noise votes too": {"noise_factor": 0},
    "detail gathered twice as far": {"gather_sigma": 2},
}


def degraded(shot: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a shot as a noisy camera would store it."""
    noisy = np.clip(np.rint(shot + rng.normal(0, 2, shot.shape)), 0, 255).astype(np.uint8)
    stored = cv2.imencode(".jpg", noisy[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB)


def stack(photograph: np.ndarray) -> list[np.ndarray]:
    """Return 24 shots of a photograph that recedes from left to right, two thirds of a pixel apart."""
    depth = np.linspace(0, 1, photograph.shape[1], dtype=np.float32)[None].repeat(len(photograph), 0)
    focuses = (np.arange(24) + 0.5) / 24
    return render_focus_stack(Scene(photograph, depth), focuses=focuses, sigma_per_disparity=16)


def scores(shots: list[np.ndarray], truth: np.ndarray, settings: FusionConfig) -> list[float]:
    """Return PSNR of what is fused and, of two shots, Q_AB/F and NMI."""
    fused = fuse(shots, config=settings).image
    psnr = metrics.psnr(as_float(fused), truth)
    if len(shots) > 2:
        return [psnr]
    greys = [np.rint(to_grey(image) * 255) for image in (*shots, fused)]
    return [psnr, fusion_metrics.q_abf(*greys), fusion_metrics.nmi(*greys)]


if __name__ == "__main__":
    rng, photographs = np.random.default_rng(0), center_squares(512, sys.argv[1])
    drawn = [(s.image, shots) for _, s, shots in composite_stacks(photographs, 12, 7)]
    worse = [(truth, [degraded(shot, rng) for shot in shots]) for truth, shots in drawn]
    deep = [(truth, [degraded(shot, rng) for shot in stack(truth)]) for truth in photographs[2::8]]
    for name, changed in VARIANTS.items():
        settings = replace(FusionConfig(), **changed)
        means = [
            np.mean([scores(shots, truth, settings) for truth, shots in group], 0) for group in (drawn, worse, deep)
        ]
        print(name, *(f"{value:.4f}" for value in np.concatenate(means)), flush=True)
