"""Scenes whose blur is known exactly: layers at known depth, blurred as a lens does, with occlusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from . import atomic, blur, images
from .sources import package_folder

UNSEEN = 0.05  # pixels of sigma below which nothing is blurred
LEAST_RADIUS = 16  # pixels, of a disk in a shrunken layer
MOTORCYCLE_FOCAL = 994.978  # pixels; the rest of the calibration stands in its only use


@dataclass(frozen=True)
class Scene:
    """An all-in-focus image and what is known of it.

    Parameters
    ----------
    image : (H, W, 3) float32 RGB in [0, 1], sharp everywhere
    depth : (H, W) float32, in any unit in which sigma is proportional to |depth - focus| (disparity,
        that is, the inverse distance); larger is nearer
    """

    image: np.ndarray
    depth: np.ndarray


def motorcycle() -> Scene:
    """Return scikit-image's motorcycle with its disparity, unknown disparities filled from beside."""
    folder = package_folder("skimage")
    with np.load(folder / "motorcycle_disp.npz", allow_pickle=False) as file:
        disparity = file["arr_0"]
    unknown = ~np.isfinite(disparity)
    nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    disparity = cv2.medianBlur(disparity[tuple(nearest)].astype(np.float32), 5)
    image = images.as_float(images.read(folder / "motorcycle_left.png"))
    return Scene(image, disparity)


def motorcycle_distance(scene: Scene) -> np.ndarray:
    """Return the distance of every pixel of :func:`motorcycle`, (H, W) float32 in m, from its calibration."""
    return (MOTORCYCLE_FOCAL * 0.193001 / (scene.depth + 31.086)).astype(np.float32)


def composite(front: np.ndarray, back: np.ndarray, rng: np.random.Generator) -> Scene:
    """Return one photograph in a soft-edged blob before another.

    Parameters
    ----------
    front, back : (H, W, 3) float32 RGB in [0, 1], of one size
    rng : draws the shape of the blob

    Returns
    -------
    Scene of depth 1 in front and 0 behind
    """
    inside = blob(front.shape[:2], rng)
    return Scene(np.where(inside[:, :, None], front, back), inside.astype(np.float32))


def blob(shape: tuple[int, int], rng: np.random.Generator, *, share: float = 0.4) -> np.ndarray:
    """Return a random smooth region that covers about a share of the frame, (H, W) bool."""
    height, width = shape
    noise = rng.standard_normal((max(height // 64, 2) + 1, max(width // 64, 2) + 1)).astype(np.float32)
    field = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    centre = rng.uniform(-0.4, 0.4, 2)
    field = field - 2.0 * np.hypot(y - centre[0], x - centre[1]).astype(np.float32)
    return field > np.quantile(field, 1 - share)


def thin_lens_sigma(depth: np.ndarray, *, focus: float, strength: float) -> np.ndarray:
    """Return the blur of a thin lens.

    The diameter of the circle of confusion is proportional to the difference of the inverse distances
    of object and focal plane: c = A f |1/d - 1/d_f| / (1 - f / d_f). Disparity is an inverse distance,
    so sigma = strength |depth - focus|.

    Parameters
    ----------
    depth : (H, W) float32 inverse distance (disparity)
    focus : depth in focus
    strength : sigma in pixels for one unit of depth; proportional to the aperture
    """
    return (strength * np.abs(depth - focus)).astype(np.float32)


def photograph(
    scene: Scene,
    *,
    focus: float,
    strength: float,
    layers: int | np.ndarray = 24,
    aperture: str = "gaussian",
) -> tuple[np.ndarray, np.ndarray]:
    """Photograph a scene with a wide aperture.

    The scene is cut into layers of depth; each goes on behind those nearer than it, is blurred with its
    own sigma, its coverage with it, and is laid over those behind. So a blurred front spreads over a
    sharp background, and a blurred background does not spread over a sharp front.

    Parameters
    ----------
    scene : what to photograph
    focus, strength : see :func:`thin_lens_sigma`
    layers : how many of equal depth between the least and the largest, or the depths at which they begin
    aperture : ``gaussian``, or ``disk`` of the same standard deviation (radius 2 sigma)

    Returns
    -------
    (H, W, 3) float32 image and (H, W) float32 sigma in pixels of the visible surface

    Notes
    -----
    What disks of a radius from 32 pixels on blur is rendered in a smaller copy, in which the radius is at
    least 16; the blur of shrinking and enlarging by f (a variance of f^2 / 12 and f^2 / 6) counts in.
    """
    if aperture not in ("gaussian", "disk"):
        raise ValueError(f"no aperture {aperture!r}; known: gaussian, disk")
    if np.isscalar(layers):
        layers = np.linspace(float(scene.depth.min()), float(scene.depth.max()), layers + 1)[:-1]
    index = np.maximum(np.searchsorted(layers, scene.depth, "right") - 1, 0)
    steps = len(layers) // 12  # by which a receding surface may come nearer and still be one surface
    canvas = np.zeros((1, 1, scene.image.shape[2]), np.float32)
    sigma = np.zeros(scene.depth.shape, np.float32)
    for layer in np.unique(index):
        inside = index == layer
        depth = np.float32(scene.depth[inside].mean())
        width = float(thin_lens_sigma(depth, focus=focus, strength=strength))
        colour, coverage = _layer(
            scene.image, sigma=width, aperture=aperture, covered=index >= layer, known=index <= layer + steps
        )
        shape = max(canvas.shape[:2], colour.shape[:2])
        canvas, colour, coverage = (_enlarged(values, shape) for values in (canvas, colour, coverage))
        canvas = colour + (1 - coverage) * canvas
        sigma[inside] = width
    canvas = _enlarged(canvas, index.shape)
    return np.clip(canvas, 0, 1), sigma


def _layer(
    image: np.ndarray, *, sigma: float, aperture: str, covered: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the blurred light of a layer, (h, w, C), and its blurred coverage, (h, w, 1), maybe shrunken."""
    factor = _shrinkage(sigma, aperture, covered.shape)
    coverage = covered.astype(np.float32)[:, :, None]
    if factor > 1:
        sigma = float(np.sqrt((sigma / factor) ** 2 - 1 / 4))
        coverage = _shrunken(coverage, factor)
        share = known.astype(np.float32)[:, :, None]
        image, share = _shrunken(image * share, factor), _shrunken(share, factor)
        image, known = image / np.maximum(share, np.float32(1e-6)), share[:, :, 0] > 0
    surface = continued(image, known)
    return _blurred(surface * coverage, sigma, aperture), _blurred(coverage, sigma, aperture)


def _shrinkage(sigma: float, aperture: str, shape: tuple[int, int]) -> int:
    """Return by how much a layer may be shrunken so that its disk has a radius of 16 pixels at least."""
    if aperture != "disk" or sigma < LEAST_RADIUS:
        return 1
    return 2 ** int(np.log2(min(2 * sigma / LEAST_RADIUS, *shape)))


def _shrunken(values: np.ndarray, factor: int) -> np.ndarray:
    shape = tuple(length // factor for length in values.shape[:2])
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_AREA).reshape(*shape, *values.shape[2:])


def _enlarged(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if values.shape[:2] == shape:
        return values
    return cv2.resize(values, shape[::-1]).reshape(*shape, values.shape[2])


def shots(scene: Scene, *, focuses: Sequence[float], strength: float, layers: int = 24) -> list[np.ndarray]:
    """Photograph a scene focused at several depths, as a camera does: disk-shaped blur of light, 8 bit.

    Parameters
    ----------
    scene, strength, layers : as for :func:`photograph`
    focuses : depths in focus, one a shot

    Returns
    -------
    list of (H, W, 3) uint8
    """
    lit = Scene(images.to_light(scene.image), scene.depth)
    taken = (
        photograph(lit, focus=focus, strength=strength, layers=layers, aperture="disk")[0]
        for focus in focuses
    )
    return [images.as_depth(images.from_light(light), np.uint8) for light in taken]


def embedded(*, seed: int, size: int, largest: float = 8.0) -> Iterator[tuple[str, Scene, dict]]:
    """Yield the embedded scenes: name, scene, and the keyword arguments of :func:`photograph`.

    ``motorcycle`` focused near, in the middle and far, through the thin-lens formula on its disparity;
    and six composites of two photographs that scikit-image carries, with random focus and strength.

    Parameters
    ----------
    seed : draws the composites
    size : side of a composite in pixels
    largest : sigma in pixels that the motorcycle's whole range of disparities would have; a composite's
        blurred part has 3/16 to 3/4 of it
    """
    rng = np.random.default_rng(seed)
    scene = motorcycle()
    spread = float(np.ptp(scene.depth))
    for name, quantile in (("near", 0.9), ("middle", 0.5), ("far", 0.1)):
        focus = float(np.quantile(scene.depth, quantile))
        yield f"motorcycle_{name}", scene, {"focus": focus, "strength": largest / spread}
    photographs = squares(size)
    for index in range(6):
        front, back = rng.choice(len(photographs), 2, replace=False)
        made = composite(photographs[front], photographs[back], rng)
        focus, strength = float(rng.integers(0, 2)), largest * float(rng.uniform(3 / 16, 3 / 4))
        yield f"composite_{index}", made, {"focus": focus, "strength": strength, "layers": 2}


def write_set(folder: str | Path, *, seed: int, size: int) -> None:
    """Write the embedded benchmark set, images/NAME.png and sigma/NAME.npy of each of :func:`embedded`.

    Parameters
    ----------
    folder : made anew
    seed, size : see :func:`embedded`
    """
    for name, scene, lens in embedded(seed=seed, size=size):
        _write_pair(Path(folder), name, *photograph(scene, **lens))


COMPOSITED = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")


def squares(size: int, folder: str | Path | None = None) -> list[np.ndarray]:
    """Return the middle squares of photographs, each (size, size, 3) float32 in [0, 1].

    Parameters
    ----------
    size : side in pixels
    folder : of photographs; None takes four that scikit-image carries
    """
    files = images.listing(folder) if folder else [package_folder("skimage") / name for name in COMPOSITED]
    return [_square(images.as_float(images.read(file)), size) for file in files]


def _square(image: np.ndarray, size: int) -> np.ndarray:
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    image = image[top : top + side, left : left + side]
    shrinks = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.clip(cv2.resize(image, (size, size), interpolation=shrinks), 0, 1)


def _write_pair(folder: Path, name: str, image: np.ndarray, sigma: np.ndarray) -> None:
    images.write(folder / "images" / f"{name}.png", image)
    (folder / "sigma").mkdir(parents=True, exist_ok=True)
    atomic.write_array(folder / "sigma" / f"{name}.npy", sigma)


def continued(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Continue an (H, W, C) surface where it is hidden, that is, not known, by its nearest known pixel."""
    if known.all():
        return image
    hidden = ~known
    _, nearest = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros(nearest.max() + 1, np.intp)
    place[nearest[known]] = np.flatnonzero(known)
    surface = image.copy()
    surface[hidden] = image.reshape(known.size, -1)[place[nearest[hidden]]]
    return surface


def _blurred(values: np.ndarray, sigma: float, aperture: str) -> np.ndarray:
    if sigma < UNSEEN:
        return values
    blurred = (blur.blur if aperture == "gaussian" else blur.blur_by_disk)(values, sigma)
    return blurred if blurred.ndim == 3 else blurred[:, :, None]
