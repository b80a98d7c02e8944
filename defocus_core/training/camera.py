"""What a camera does to a picture: demosaicing, noise that it leaves correlated, sharpening."""

from __future__ import annotations

import cv2
import numpy as np

from defocus_core.blur.kernels import gaussian_blur
from defocus_core.training.config import CameraConfig


def develop(grey: np.ndarray, config: CameraConfig, rng: np.random.Generator) -> np.ndarray:
    """Take a grey picture through a sensor's noise, demosaicing and sharpening.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    config : how often, and how far
    rng : of the drawn amounts and the noise

    Returns
    -------
    (H, W) float32 in [0, 1]; the input itself where the camera is left out
    """
    if not config.fraction or rng.random() >= config.fraction:
        return grey
    noise = rng.normal(0, config.noise / 255 * rng.random() ** 2, grey.shape).astype(np.float32)
    raw = np.clip(grey + noise, 0, 1)
    if rng.random() < 0.5:
        raw = demosaiced(raw)
    soft = gaussian_blur(raw, rng.uniform(0.5, 1.5))
    return np.clip(raw + rng.uniform(0, config.sharpening) * (raw - soft), 0, 1)


def demosaiced(grey: np.ndarray) -> np.ndarray:
    """Sample a grey picture by a Bayer mosaic and interpolate it bilinearly, (H, W) float32 in [0, 1]."""
    mosaic = np.rint(grey * 65535).astype(np.uint16)
    return cv2.cvtColor(mosaic, cv2.COLOR_BayerBG2GRAY).astype(np.float32) / 65535
