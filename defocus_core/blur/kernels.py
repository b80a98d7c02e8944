"""Gaussian, disk and motion blur, and the effective sigma of the kernels."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

BORDERS = {"mirror": cv2.BORDER_REFLECT_101, "replicate": cv2.BORDER_REPLICATE, "zero": cv2.BORDER_CONSTANT}
KERNELS = ("paper", "full")
MIN_DISK_SIGMA = 0.6  # pixels of sigma


def gaussian_kernel(sigma: float, kernel: str = "full") -> np.ndarray:
    """Return the sampled, normalised 1-D Gaussian kernel.

    Parameters
    ----------
    sigma : standard deviation in pixels; 0 gives the identity
    kernel : `full` reaches 4 sigma to each side; `paper` has the 2 sigma + 1 taps that fit the
        figures of Galetto & Deng (arXiv 2107.14443), so it is cut at one sigma

    Returns
    -------
    (2 r + 1,) float64, sum 1

    Raises
    ------
    ValueError
        If sigma is negative or not finite, or there is no such kernel.

    Examples
    --------
    >>> gaussian_kernel(1, "paper").round(3).tolist()
    [0.274, 0.452, 0.274]
    """
    if not np.isfinite(sigma) or sigma < 0:
        raise ValueError(f"sigma is a finite number of pixels >= 0, not {sigma}")
    if kernel not in KERNELS:
        raise ValueError(f"no blur kernel {kernel!r}; known: {', '.join(KERNELS)}")
    if sigma == 0:
        return np.ones(1)
    radius = int(np.ceil(4 * sigma)) if kernel == "full" else round(sigma)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


def effective_sigma(sigma: float, kernel: str = "full") -> float:
    """Return the standard deviation, in pixels, of the kernel that a nominal sigma applies.

    Examples
    --------
    >>> round(effective_sigma(2), 2), round(effective_sigma(2, "paper"), 2)
    (2.0, 1.29)
    """
    weights = gaussian_kernel(sigma, kernel)
    offsets = np.arange(len(weights)) - len(weights) // 2
    return float(np.sqrt(np.sum(weights * offsets**2)))


def gaussian_blur(image: np.ndarray, sigma: float, *, kernel: str = "full", border: str = "mirror") -> np.ndarray:
    """Blur an image with a Gaussian.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32
    sigma : nominal standard deviation in pixels; 0 returns the image itself
    kernel : see `gaussian_kernel`
    border : `mirror`, `replicate` or `zero`

    Returns
    -------
    float32 array of the same shape

    Examples
    --------
    >>> import numpy as np
    >>> edge = np.array([[0, 0, 0, 1, 1, 1]], np.float32)
    >>> print(gaussian_blur(edge, 1).round(2))
    [[0.01 0.06 0.3  0.7  0.94 0.99]]
    """
    image, border_type = np.asarray(image, np.float32), _border_type(border)
    if sigma == 0:
        return image
    weights = gaussian_kernel(sigma, kernel)
    return cv2.sepFilter2D(image, cv2.CV_32F, weights, weights, borderType=border_type).reshape(image.shape)


def disk_kernel(radius: float) -> np.ndarray:
    """Return an anti-aliased disk of a radius in pixels, (K, K) float32, sum 1."""
    reach = max(int(np.ceil(radius)), 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    weights = np.clip(radius + 0.5 - np.hypot(y, x), 0, 1).astype(np.float32)
    return weights / weights.sum()


def disk_blur(image: np.ndarray, sigma: float, *, border: str = "mirror") -> np.ndarray:
    """Blur an image with a disk of standard deviation sigma along each axis, that is, of radius 2 sigma.

    The soft edge of a sampled disk adds 1/8 to its variance, so its radius is smaller by as much.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32
    sigma : in pixels; below 0.6, where pixels are too coarse for a disk, the blur is Gaussian
    border : `mirror`, `replicate` or `zero`

    Returns
    -------
    float32 array of the same shape
    """
    if not sigma >= MIN_DISK_SIGMA:
        return gaussian_blur(image, sigma, border=border)
    image, kernel = np.asarray(image, np.float32), disk_kernel(2 * np.sqrt(sigma**2 - 1 / 8))
    return cv2.filter2D(image, cv2.CV_32F, kernel, borderType=_border_type(border)).reshape(image.shape)


def motion_blur(image: np.ndarray, sigma: float, angle: float) -> np.ndarray:
    """Blur an image along a line of standard deviation sigma, that is, of length sigma sqrt(12).

    Sampling adds 1/6 to the variance along the line, which is shorter by as much, and up to 1/6 across it.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32
    sigma : pixels
    angle : of the line, radians clockwise from the rows

    Returns
    -------
    float32 array of the same shape
    """
    length = np.sqrt(12 * max(sigma**2 - 1 / 6, 0))
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    along = np.linspace(-length / 2, length / 2, 32 * reach)
    x, y = reach + along * np.cos(angle), reach + along * np.sin(angle)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    for right, down in itertools.product((0, 1), repeat=2):  # bilinear
        weight = np.abs(1 - right - (x - column)) * np.abs(1 - down - (y - row))
        np.add.at(kernel, (np.minimum(row + down, 2 * reach), np.minimum(column + right, 2 * reach)), weight)
    kernel /= kernel.sum()
    blurred = cv2.filter2D(np.asarray(image, np.float32), cv2.CV_32F, kernel, borderType=BORDERS["mirror"])
    return np.asarray(blurred).reshape(image.shape)


def aperture_kernel(sigma: float, *, blades: int = 0, turn: float = 0.0, cut: float = 0.0) -> np.ndarray:
    """Return the image of a point through an aperture that is no full disk.

    Parameters
    ----------
    sigma : root mean square of the standard deviations along both axes, pixels; at least 0.6
    blades : sides of the aperture's polygon; 0 is a disk
    turn : of the polygon, and the direction in which the barrel cuts, radians
    cut : how much of the diameter the barrel of the lens cuts off, 0 to 0.9: a cat's eye

    Returns
    -------
    (K, K) float32, sum 1, centred on its own mean

    Examples
    --------
    >>> kernel = aperture_kernel(3, blades=6)
    >>> y, x = np.indices(kernel.shape) - kernel.shape[0] // 2
    >>> print(round(float(np.sqrt((kernel * (x**2 + y**2)).sum() / 2)), 1))
    3.0
    """
    if not sigma >= MIN_DISK_SIGMA:
        raise ValueError(f"an aperture shows from sigma {MIN_DISK_SIGMA} on, not {sigma}")
    unit, fine = 32.0, 4
    centre, deviation = _aperture_moments(unit, blades=blades, turn=turn, cut=cut)
    radius = unit * np.sqrt(sigma**2 - 1 / 12) / deviation  # a pixel's own width has a variance of 1/12
    shape = _aperture(radius * fine, centre * radius * fine / unit, blades=blades, turn=turn, cut=cut, fine=fine)
    side = shape.shape[0] // fine
    kernel = shape.reshape(side, fine, side, fine).mean((1, 3))
    return kernel / kernel.sum()


def _aperture(radius: float, centre: np.ndarray, *, blades: int, turn: float, cut: float, fine: int) -> np.ndarray:
    """Return an aperture around a centre, of 1 and 0, on a grid whose odd side is a multiple of `fine`."""
    half = int(np.ceil(1.5 * radius / fine)) + 1
    offsets = (np.arange((2 * half + 1) * fine) + 0.5) - (2 * half + 1) * fine / 2
    x, y = np.meshgrid(offsets + centre[0], offsets + centre[1])
    inside = np.hypot(x, y) <= radius
    for side in range(blades):
        angle = turn + 2 * np.pi * side / blades
        inside &= x * np.cos(angle) + y * np.sin(angle) <= radius * np.cos(np.pi / blades)
    if cut:
        inside &= np.hypot(x - 2 * cut * radius * np.cos(turn), y - 2 * cut * radius * np.sin(turn)) <= radius
    return inside.astype(np.float32)


def _aperture_moments(radius: float, *, blades: int, turn: float, cut: float) -> tuple[np.ndarray, float]:
    """Return the mean (x, y) of an aperture and the root mean square of its deviations, pixels."""
    shape = _aperture(radius, np.zeros(2), blades=blades, turn=turn, cut=cut, fine=1)
    y, x = np.nonzero(shape)
    places = np.stack([x, y], 1) + 0.5 - shape.shape[0] / 2
    return places.mean(0), float(np.sqrt(places.var(0).mean()))


def blur_matrix(size: int, sigma: float, *, kernel: str = "full", border: str = "mirror") -> np.ndarray:
    """Return the blur of one axis of an isolated patch, with its border rule, as a matrix.

    `operator @ patch @ operator.T` is the blurred patch, so that a whole batch is two products.

    Returns
    -------
    (size, size) float32
    """
    weights = gaussian_kernel(sigma, kernel)
    radius = len(weights) // 2
    matrix = np.zeros((size, size))
    for offset, weight in zip(range(-radius, radius + 1), weights, strict=True):
        for row in range(size):
            column = cv2.borderInterpolate(row + offset, size, _border_type(border))
            if column >= 0:
                matrix[row, column] += weight
    return matrix.astype(np.float32)


def _border_type(name: str) -> int:
    if name not in BORDERS:
        raise ValueError(f"no border {name!r}; known: {', '.join(BORDERS)}")
    return BORDERS[name]
