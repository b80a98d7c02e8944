"""Grey levels, tone curves and dtypes of images in memory."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from defocus_core.io.arrays import strips

RANGE_TOLERANCE = 1e-3  # of float images, by which arithmetic may leave [0, 1]
MAX_STRETCH_GAIN, MAX_DEEP_STRETCH_GAIN = 16, 256  # of dark and pale images of 8 bit and of more: 16 and 256 levels


def to_grey(image: np.ndarray) -> np.ndarray:
    """Convert an image to grey levels.

    Parameters
    ----------
    image : (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float in [0, 1]

    Returns
    -------
    (H, W) float32 in [0, 1], by the Rec. 601 luma weights

    Raises
    ------
    ValueError
        If the shape or dtype is none of the above, or a float image leaves [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> print(to_grey(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)))
    [[0.299 0.587]]
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] == 1 or not len(image):
        return as_float(image).reshape(image.shape[:2])
    grey = np.empty(image.shape[:2], np.float32)
    for rows in strips(len(image)):
        colours = as_float(image[rows])[:, :, :3]
        grey[rows] = cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY)
    return grey


def check_range(low: float, high: float) -> None:
    """Raise ValueError where the least and the largest value of a float image lie outside [0, 1]."""
    if low < -RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
        raise ValueError(f"a float image lies in [0, 1], this one in [{low:.4g}, {high:.4g}]")


def as_float(image: np.ndarray) -> np.ndarray:
    """Convert an image to float32 in [0, 1]; NaN and infinite pixels become 0.

    Parameters
    ----------
    image : (H, W) or (H, W, C) with C in 1, 3, 4; uint8, uint16, bool, or float in [0, 1]

    Raises
    ------
    ValueError
        If the shape or dtype is none of the above, or a float image leaves [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> as_float(np.array([[0, 65535]], np.uint16)).tolist()
    [[0.0, 1.0]]
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ValueError(f"an image is (H, W) or (H, W, 1|3|4), not {image.shape}")
    if image.size == 0:
        raise ValueError(f"an image needs at least one pixel, not shape {image.shape}")
    if image.dtype == bool:
        return image.astype(np.float32)
    if image.dtype.kind == "u" and image.dtype.itemsize <= 2:
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"an image is uint8, uint16 or float in [0, 1], not {image.dtype}")
    image = image.astype(np.float32, copy=False)
    if not np.isfinite([image.min(), image.max()]).all():
        image = np.nan_to_num(image, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(image.min()), float(image.max())
    check_range(low, high)
    return image if low >= 0 and high <= 1 else np.clip(image, 0, 1)


def as_opaque_float(image: np.ndarray) -> np.ndarray:
    """Convert an image without alpha to float32 in [0, 1], as `as_float` does.

    Raises
    ------
    ValueError
        Also if it has a fourth channel: alpha is no light, which a blur or a tone curve might treat.
    """
    if np.ndim(image) == 3 and np.shape(image)[2] == 4:
        raise ValueError(f"an image is (H, W) or (H, W, 3) here, not {np.shape(image)}; keep alpha apart")
    return as_float(image)


def srgb_to_linear(image: np.ndarray) -> np.ndarray:
    """Convert sRGB values (IEC 61966-2-1) in [0, 1] to linear light, float32 in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> print(srgb_to_linear(np.array([0, 0.5, 1])).round(3))
    [0.    0.214 1.   ]
    """
    light = np.asarray((image + 0.055) / 1.055)
    light **= 2.4
    np.divide(image, 12.92, out=light, where=image <= 0.04045)
    return light.astype(np.float32, copy=False)


def linear_to_srgb(light: np.ndarray) -> np.ndarray:
    """Convert linear light to sRGB values in [0, 1], the inverse of `srgb_to_linear`; clip first."""
    light = np.clip(light, 0, 1)
    levels = np.asarray(light ** (1 / 2.4))
    levels *= 1.055
    levels -= 0.055
    np.multiply(light, 12.92, out=levels, where=light <= 0.0031308)
    return levels.astype(np.float32, copy=False)


def divide_by_alpha(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return the colours of pixels that are multiplied by alpha (premultiplied); where alpha is 0, they stay.

    Parameters
    ----------
    pixels : (H, W) or (H, W, C), uint8, uint16 or float
    alpha : (H, W) of the same dtype

    Examples
    --------
    >>> import numpy as np
    >>> divide_by_alpha(np.array([[10, 10]], np.uint8), np.array([[51, 0]], np.uint8)).tolist()
    [[50, 10]]
    """
    weight = alpha.reshape(alpha.shape + (1,) * (pixels.ndim - 2))
    if pixels.dtype.kind == "f":
        return np.divide(pixels, weight, out=pixels.copy(), where=weight > 0)
    top = np.iinfo(pixels.dtype).max
    whole = np.minimum(pixels.astype(np.uint32) * top // np.maximum(weight, 1), top).astype(pixels.dtype)
    return np.where(weight == 0, pixels, whole)


def max_stretch_gain(dtype: npt.DTypeLike) -> float:
    """Return the largest gain of `stretch_contrast` for images that were taken in a dtype."""
    return MAX_STRETCH_GAIN if np.dtype(dtype).itemsize == 1 else MAX_DEEP_STRETCH_GAIN


def stretch_contrast(image: np.ndarray, *, max_gain: float | None = None) -> np.ndarray:
    """Stretch the grey levels of an image to the full range.

    12 bit or a thousand counts in a 16-bit file, and a dark or pale photograph, then look like a full exposure.

    Parameters
    ----------
    image : as for `as_float`
    max_gain : None is 16 for images of 8 bit, whose levels lie too far apart for more, and 256 for others

    Returns
    -------
    array of its shape and dtype (bool becomes float32); the darkest and the brightest thousandth are clipped
    """
    every = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / 1e6)))
    low, high = np.quantile(to_grey(image[::every, ::every]), (0.001, 0.999))
    gain = np.float32(1 / max(high - low, 1 / (max_gain or max_stretch_gain(image.dtype))))
    stretched = np.empty(image.shape, image.dtype if image.dtype.kind == "u" else np.float32)
    for rows in strips(len(image)):
        values = np.clip((as_float(image[rows]) - np.float32(low)) * gain, 0, 1)
        stretched[rows] = to_dtype(values, image.dtype) if image.dtype.kind == "u" else values
    return stretched


def to_dtype(image: np.ndarray, dtype: npt.DTypeLike) -> np.ndarray:
    """Clip a float image to [0, 1] and round it to uint8 or uint16; NaN becomes 0.

    Examples
    --------
    >>> import numpy as np
    >>> to_dtype(np.array([0.0, 0.5, 2.0]), np.uint8).tolist()
    [0, 128, 255]
    """
    top = np.iinfo(np.dtype(dtype)).max
    return np.rint(np.clip(np.nan_to_num(image), 0, 1) * top).astype(dtype)
