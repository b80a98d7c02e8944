"""What adaptive enhancement is compared with: filters that sharpen a photograph without its defocus map."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from scipy.special import expit, logit

from defocus_core.applications.enhance import unsharp_mask
from defocus_core.io.color import as_float, to_grey


def generalised_unsharp(image: np.ndarray, *, gain: float = 7.0, settled: float = 5e-4) -> np.ndarray:
    """Sharpen by generalised unsharp masking: log-ratio arithmetic, which cannot leave [0, 1].

    The base layer is an iterated 3x3 median, which keeps edges; the gain falls from its largest at faint
    detail to 1 at edges. The contrast equalisation of the base layer that the paper adds is left out: what
    is compared is sharpness. Colour pictures are sharpened in their lightness.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    gain : of the faintest detail, at least 1 (lambda = 7 in Galetto & Deng's comparison)
    settled : mean absolute change at which the median stops (their kappa = 5e-4, so read here)

    Returns
    -------
    float32 in [0, 1], of the image's shape

    References
    ----------
    Deng, "A generalized unsharp masking algorithm", IEEE TIP 2011.
    """
    if gain < 1:
        raise ValueError(f"gain is at least 1, not {gain:g}")
    image = as_float(image)
    lightness = to_grey(image)
    signal = (lightness * 255 + 1) / 257  # within (0, 1), where the log-ratio is finite
    base: np.ndarray = signal
    for _ in range(20):
        smoother = cv2.medianBlur(base, 3)
        change = float(np.abs(smoother - base).mean())
        base = smoother
        if change <= settled:
            break
    detail = logit(signal) - logit(base)
    size = np.abs(2 * expit(detail) - 1)
    falling = (gain - 1) / (1 - np.exp(-1))
    sharper = expit(logit(base) + (gain - falling + falling * np.exp(-size)) * detail)
    change = (sharper - signal) * 257 / 255
    return np.clip(image + (change if image.ndim == 2 else change[:, :, None]), 0, 1).astype(np.float32)


def contrast_adaptive(image: np.ndarray, *, peak: float = -0.125) -> np.ndarray:
    """Sharpen the less, the more contrast there is: contrast adaptive sharpening (CAS).

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    peak : weight of the four neighbours where there is least contrast, -0.2 (strong) to 0

    Returns
    -------
    float32 in [0, 1], of the image's shape

    References
    ----------
    AMD FidelityFX CAS, 2019, channel by channel, with its extrema of the cross and of the 3x3 window.
    """
    if not -0.2 <= peak <= 0:
        raise ValueError(f"peak is -0.2 to 0, not {peak:g}")
    image = as_float(image)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    whole = np.ones((3, 3), np.uint8)
    low = cv2.erode(image, cross) + cv2.erode(image, whole)
    high = cv2.dilate(image, cross) + cv2.dilate(image, whole)
    headroom = np.minimum(low, 2 - high)
    room = np.divide(headroom, high, out=np.zeros_like(high), where=high > 0)
    weight = np.float32(peak) * np.sqrt(np.clip(room, 0, 1))
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
    around = cv2.filter2D(image, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.clip((around * weight + image) / (1 + 4 * weight), 0, 1)


METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "unsharp masking": unsharp_mask,
    "generalised unsharp masking": generalised_unsharp,
    "contrast adaptive sharpening": contrast_adaptive,
}
