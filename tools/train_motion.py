"""Train the network that tells motion: python tools/train_motion.py OUT.safetensors FOLDER OF PHOTOGRAPHS...

Leaves out the first six photographs of each folder: config/benchmarks.yaml scores three of them, the other three chose
the threshold of anisotropy. Prints the mean loss after every hundred steps. To use the weights, put them in the
place of defocus_core/applications/score/weights/motion.safetensors.
"""

import sys

import cv2
import numpy as np
import torch

from defocus_core.applications.score.motion_training import PHOTOGRAPH_SIDE, train_motion
from defocus_core.io.arrays import shrunken_size
from defocus_core.io.color import to_grey
from defocus_core.io.listing import list_images
from defocus_core.io.read import read
from defocus_core.networks.small_weights import save_half

LEFT_OUT = 6


def reduced(grey: np.ndarray) -> np.ndarray:
    """Reduce a photograph to a shorter side of 640 pixels."""
    factor = max(1.0, min(grey.shape) / PHOTOGRAPH_SIDE)
    return cv2.resize(grey, shrunken_size(grey.shape, factor), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    out, *folders = sys.argv[1:]
    torch.set_num_threads(1)
    paths = [path for folder in folders for path in list_images(folder)[LEFT_OUT:]]
    photographs = [reduced(to_grey(read(path))) for path in paths]
    for network, loss in train_motion(photographs, steps=10_000):
        print(f"{loss:.4f}", flush=True)
        save_half(network, out)
