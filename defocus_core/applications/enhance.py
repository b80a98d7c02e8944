"""Adaptive enhancement: sharpen what is slightly blurred, leave the sharp and the far background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import expit

from defocus_core.blur.levels import sigma_to_paper_label
from defocus_core.io.arrays import check_map_fits
from defocus_core.io.color import as_opaque_float


@dataclass(frozen=True)
class EnhanceConfig:
    """Constants of equations 8 to 11, defaults as published.

    Parameters
    ----------
    amount : lambda_max, the largest gain of the detail layer
    slope_low, edge_low : alpha_1, beta_1: where sharpening sets in
    slope_high, edge_high : alpha_2, beta_2: where it ends
    radius : sigma in pixels of the Gaussian that makes the base layer
    """

    amount: float = 2.0
    slope_low: float = 46.0
    edge_low: float = 0.1
    slope_high: float = 183.0
    edge_high: float = 0.27
    radius: float = 2.0

    def __post_init__(self) -> None:
        if not 0 <= self.amount < np.inf:
            raise ValueError(f"the largest gain is at least 0 and finite, not {self.amount:g}")
        if not 0 < self.radius < np.inf:
            raise ValueError(f"the radius is above 0 pixels and finite, not {self.radius:g}")


def enhancement_amount(sigma: np.ndarray, config: EnhanceConfig = EnhanceConfig()) -> np.ndarray:
    """Return the gain lambda of each pixel (equations 9 to 11).

    Parameters
    ----------
    sigma : (H, W) float32 defocus map, pixels

    Returns
    -------
    (H, W) float32 in [0, config.amount]

    Examples
    --------
    Slight blur gets a gain; what is sharp or far out of focus gets next to none.

    >>> import numpy as np
    >>> print(enhancement_amount(np.array([[0.0, 1.5, 9.0]], np.float32)).round(2))
    [[0.02 1.53 0.  ]]
    """
    scaled = sigma_to_paper_label(sigma) / 19
    rising = expit(config.slope_low * (scaled - config.edge_low))
    falling = 1 - expit(config.slope_high * (scaled - config.edge_high))
    return (config.amount * rising * falling).astype(np.float32)


def enhance(image: np.ndarray, sigma: np.ndarray, config: EnhanceConfig = EnhanceConfig()) -> np.ndarray:
    """Sharpen a photograph where it is slightly blurred (equation 8).

    Parameters
    ----------
    image : (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1]
    sigma : (H, W) float32 defocus map, pixels

    Returns
    -------
    float32 in [0, 1], of the image's shape

    Raises
    ------
    ValueError
        If the map does not fit the image, or the image has alpha.

    Examples
    --------
    >>> import numpy as np
    >>> from defocus_core import enhance
    >>> image = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8) ** 2
    >>> sharper = enhance(image, np.full((8, 8), 1.5, np.float32))
    >>> sharper.shape, sharper.dtype, bool(sharper.std() > image.std())
    ((8, 8), dtype('float32'), True)
    """
    image = as_opaque_float(image)
    check_map_fits(sigma, image)
    base = cv2.GaussianBlur(image, (0, 0), config.radius).reshape(image.shape)
    weight = enhancement_amount(sigma, config)
    if image.ndim == 3:
        weight = weight[:, :, None]
    return np.clip(image + weight * (image - base), 0, 1)


def unsharp_mask(image: np.ndarray, *, amount: float = 2.0, radius: float = 2.0) -> np.ndarray:
    """Sharpen all pixels alike by unsharp masking; shapes as in `enhance`."""
    image = as_opaque_float(image)
    base = cv2.GaussianBlur(image, (0, 0), radius).reshape(image.shape)
    return np.clip(image + amount * (image - base), 0, 1)
