"""Render thin-lens defocus of layers of known disparity, with occlusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.blur.kernels import disk_blur, gaussian_blur
from defocus_core.io.arrays import fill_nearest
from defocus_core.io.color import linear_to_srgb, srgb_to_linear, to_dtype

MIN_VISIBLE_SIGMA = 0.05  # pixels of sigma below which nothing is blurred
MIN_DISK_RADIUS = 16  # pixels, of a disk in a shrunken layer


@dataclass(frozen=True)
class Scene:
    """An all-in-focus image and its disparity.

    Parameters
    ----------
    image : (H, W, 3) float32 RGB in [0, 1], sharp everywhere
    disparity : (H, W) float32 inverse distance, in any unit; larger is nearer
    """

    image: np.ndarray
    disparity: np.ndarray


def random_blob(shape: tuple[int, int], rng: np.random.Generator, *, share: float = 0.4) -> np.ndarray:
    """Return a random smooth region that covers about `share` of the frame, (H, W) bool."""
    height, width = shape
    noise = rng.standard_normal((max(height // 64, 2) + 1, max(width // 64, 2) + 1)).astype(np.float32)
    field = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    centre = rng.uniform(-0.4, 0.4, 2)
    field = field - 2.0 * np.hypot(y - centre[0], x - centre[1]).astype(np.float32)
    return field > np.quantile(field, 1 - share)


def thin_lens_sigma(disparity: np.ndarray, *, focus: float, sigma_per_disparity: float) -> np.ndarray:
    """Return the sigma of a thin lens for each disparity.

    The diameter of the circle of confusion is proportional to the difference of the inverse distances
    of object and focal plane: c = A f |1/d - 1/d_f| / (1 - f / d_f). Disparity is an inverse distance,
    so sigma = sigma_per_disparity |disparity - focus|.

    Parameters
    ----------
    disparity : (H, W) float32
    focus : disparity in focus
    sigma_per_disparity : sigma in pixels for one unit of disparity; proportional to the aperture

    Returns
    -------
    (H, W) float32, pixels

    Examples
    --------
    >>> thin_lens_sigma(np.array([0, 1, 3], np.float32), focus=1, sigma_per_disparity=2).tolist()
    [2.0, 0.0, 4.0]
    """
    return (sigma_per_disparity * np.abs(disparity - focus)).astype(np.float32)


def render_defocus(
    scene: Scene,
    *,
    focus: float,
    sigma_per_disparity: float,
    layers: int | np.ndarray = 24,
    aperture: str = "gaussian",
    veils: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Render a scene with the defocus of a wide aperture.

    Cut the scene into layers of disparity. Continue each layer behind the nearer ones, blur it and its coverage with
    its own sigma, and lay it over the layers behind it. So a blurred front spreads over a sharp background, and a
    blurred background does not spread over a sharp front.

    Parameters
    ----------
    scene : what to photograph
    focus, sigma_per_disparity : see `thin_lens_sigma`
    layers : how many of equal thickness between the least and the largest disparity, or the disparities at which
        they begin
    aperture : `gaussian`, or `disk` of the same standard deviation (radius 2 sigma)
    veils : whether a blurred front spreads over what lies behind it, as in a photograph. Without veils, every pixel is
        what its own surface and those behind it show

    Returns
    -------
    (H, W, 3) float32 image and (H, W) float32 sigma in pixels of the visible surface

    Notes
    -----
    Disks with a radius of 32 pixels or more are rendered in a smaller copy, in which the radius is at least 16. The
    blur of shrinking and enlarging by f (a variance of f^2 / 12 and f^2 / 6) is accounted for.

    Examples
    --------
    A near half in front of a far half, focused on the near one.

    >>> image = np.full((4, 6, 3), 0.5, np.float32)
    >>> scene = Scene(image, np.repeat(np.array([[0, 1]], np.float32), 3, axis=1).repeat(4, axis=0))
    >>> rendered, sigma = render_defocus(scene, focus=1, sigma_per_disparity=2)
    >>> rendered.shape, sigma[0].tolist()
    ((4, 6, 3), [2.0, 2.0, 2.0, 0.0, 0.0, 0.0])
    """
    if aperture not in ("gaussian", "disk"):
        raise ValueError(f"no aperture {aperture!r}; known: gaussian, disk")
    if isinstance(layers, int | np.integer):
        layers = np.linspace(float(scene.disparity.min()), float(scene.disparity.max()), layers + 1)[:-1]
    index = np.maximum(np.searchsorted(layers, scene.disparity, "right") - 1, 0)
    steps = len(layers) // 12  # by which a receding surface may come nearer and still be one surface
    canvas = np.zeros((1, 1, scene.image.shape[2]), np.float32)
    sigma, unveiled = np.zeros(scene.disparity.shape, np.float32), np.zeros_like(scene.image)
    for layer in np.unique(index):
        inside = index == layer
        disparity = np.asarray(scene.disparity[inside].mean(), np.float32)
        width = float(thin_lens_sigma(disparity, focus=focus, sigma_per_disparity=sigma_per_disparity))
        colour, coverage = _blur_layer(
            scene.image, sigma=width, aperture=aperture, covered=index >= layer, known=index <= layer + steps
        )
        shape = max(canvas.shape[:2], colour.shape[:2])
        canvas, colour, coverage = (_upscale(values, shape) for values in (canvas, colour, coverage))
        canvas = canvas * (1 - coverage)
        canvas += colour
        sigma[inside] = width
        if not veils:
            unveiled[inside] = _upscale(canvas, index.shape)[inside]
    image = _upscale(canvas, index.shape) if veils else unveiled
    return np.clip(image, 0, 1), sigma


def _blur_layer(
    image: np.ndarray, *, sigma: float, aperture: str, covered: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the blurred light of a layer, (h, w, C), and its blurred coverage, (h, w, 1), maybe shrunken."""
    factor = _downscale_factor(sigma, aperture, covered.shape)
    coverage = covered.astype(np.float32)[:, :, None]
    if factor > 1:
        sigma = float(np.sqrt((sigma / factor) ** 2 - 1 / 4))
        coverage = _downscale(coverage, factor)
        share = known.astype(np.float32)[:, :, None]
        image, share = _downscale(image * share, factor), _downscale(share, factor)
        image, known = image / np.maximum(share, np.float32(1e-6)), share[:, :, 0] > 0
    light = fill_nearest(image, known) * coverage
    return _blur_aperture(light, sigma, aperture), _blur_aperture(coverage, sigma, aperture)


def _downscale_factor(sigma: float, aperture: str, shape: tuple[int, int]) -> int:
    """Return by how much a layer may be shrunken so that its disk has a radius of 16 pixels at least."""
    if aperture != "disk" or sigma < MIN_DISK_RADIUS:
        return 1
    return 2 ** int(np.log2(min(2 * sigma / MIN_DISK_RADIUS, *shape)))


def _downscale(values: np.ndarray, factor: int) -> np.ndarray:
    shape = tuple(length // factor for length in values.shape[:2])
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_AREA).reshape(*shape, *values.shape[2:])


def _upscale(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if values.shape[:2] == shape:
        return values
    return cv2.resize(values, shape[::-1]).reshape(*shape, values.shape[2])


def render_focus_stack(
    scene: Scene, *, focuses: Sequence[float], sigma_per_disparity: float, layers: int = 24
) -> list[np.ndarray]:
    """Render 8-bit shots of a scene focused at several disparities, with disk-shaped blur in linear light.

    Parameters
    ----------
    scene, sigma_per_disparity, layers : as for `render_defocus`
    focuses : disparities in focus, one a shot

    Returns
    -------
    list of (H, W, 3) uint8

    Examples
    --------
    >>> scene = Scene(np.zeros((4, 6, 3), np.float32), np.ones((4, 6), np.float32))
    >>> [shot.dtype.name for shot in render_focus_stack(scene, focuses=[0, 1], sigma_per_disparity=2)]
    ['uint8', 'uint8']
    """
    lit = Scene(srgb_to_linear(scene.image), scene.disparity)
    taken = (
        render_defocus(lit, focus=focus, sigma_per_disparity=sigma_per_disparity, layers=layers, aperture="disk")[0]
        for focus in focuses
    )
    return [to_dtype(linear_to_srgb(light), np.uint8) for light in taken]


def _blur_aperture(values: np.ndarray, sigma: float, aperture: str) -> np.ndarray:
    if sigma < MIN_VISIBLE_SIGMA:
        return values
    return (gaussian_blur if aperture == "gaussian" else disk_blur)(values, sigma)
