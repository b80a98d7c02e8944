"""What the decision of a fusion is worth: python tests/choose_fusion.py FOLDER OF SHARP PHOTOGRAPHS.

Twelve composites of two photographs (512 pixels, seed 7), as they are and with noise of 2 grey levels and
JPEG of quality 85, fused by the default settings and by others: PSNR, Q_AB/F, NMI.
"""

import sys
from dataclasses import replace

import cv2
import numpy as np

from defocus_core import fuse, fusion_metrics, images, metrics, scenes
from defocus_core.experiments.fuse import composed

VARIANTS = {
    "default": {},
    "no vote of the map": {"blur": 0},
    "no vote of the map, twice as smooth": {"blur": 0, "smoothness": 20},
    "regions below .5 % given away": {"stake": np.inf},
    "detail gathered twice as far": {"reach": 2},
}


def degraded(shot: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a shot as a noisy camera would store it."""
    noisy = np.clip(np.rint(shot + rng.normal(0, 2, shot.shape)), 0, 255).astype(np.uint8)
    stored = cv2.imencode(".jpg", noisy[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB)


def scores(shots: list[np.ndarray], truth: np.ndarray, settings: fuse.Settings) -> list[float]:
    """Return PSNR, Q_AB/F and NMI of what is fused."""
    fused = fuse.fuse(shots, settings=settings).image
    greys = [np.rint(images.grey(image) * 255) for image in (*shots, fused)]
    return [
        metrics.psnr(images.as_float(fused), truth),
        fusion_metrics.q_abf(*greys),
        fusion_metrics.nmi(*greys),
    ]


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    drawn = [(s.image, shots) for _, s, shots in composed(scenes.squares(512, sys.argv[1]), 12, 7)]
    worse = [(truth, [degraded(shot, rng) for shot in shots]) for truth, shots in drawn]
    for name, changed in VARIANTS.items():
        settings = replace(fuse.Settings(), **changed)
        means = [np.mean([scores(shots, truth, settings) for truth, shots in s], 0) for s in (drawn, worse)]
        print(name, *(f"{value:.4f}" for value in np.concatenate(means)), flush=True)
