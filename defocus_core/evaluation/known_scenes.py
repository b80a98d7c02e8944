"""Scenes of known blur, from photographs that packages carry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from defocus_core.blur.rendering import Scene, random_blob, render_defocus
from defocus_core.io import atomic
from defocus_core.io.color import as_float, to_dtype
from defocus_core.io.listing import list_images
from defocus_core.io.package_images import package_folder
from defocus_core.io.read import read, read_for_measuring

MOTORCYCLE_FOCAL_LENGTH = 994.978  # pixels; the rest of the calibration stands in its only use


def load_motorcycle() -> Scene:
    """Return scikit-image's motorcycle with its disparity, unknown disparities filled from beside."""
    folder = package_folder("skimage")
    with np.load(folder / "motorcycle_disp.npz", allow_pickle=False) as file:
        disparity = file["arr_0"]
    unknown = ~np.isfinite(disparity)
    nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    disparity = cv2.medianBlur(disparity[tuple(nearest)].astype(np.float32), 5)
    image = as_float(read(folder / "motorcycle_left.png"))
    return Scene(image, disparity)


def motorcycle_distance(scene: Scene) -> np.ndarray:
    """Return the distance of every pixel of `load_motorcycle`, (H, W) float32 in m, from its calibration."""
    return (MOTORCYCLE_FOCAL_LENGTH * 0.193001 / (scene.disparity + 31.086)).astype(np.float32)


def composite_scene(front: np.ndarray, back: np.ndarray, rng: np.random.Generator) -> Scene:
    """Return one photograph in a soft-edged blob before another.

    Parameters
    ----------
    front, back : (H, W, 3) float32 RGB in [0, 1], of one size
    rng : draws the shape of the blob

    Returns
    -------
    Scene of disparity 1 in front and 0 behind
    """
    inside = random_blob(front.shape[:2], rng)
    return Scene(np.where(inside[:, :, None], front, back), inside.astype(np.float32))


def embedded_scenes(*, seed: int, size: int, max_sigma: float = 8.0) -> Iterator[tuple[str, Scene, dict]]:
    """Yield the embedded scenes: name, scene, and the keyword arguments of `render_defocus`.

    `motorcycle` focused near, in the middle and far, through the thin-lens formula on its disparity;
    and six composites of two photographs that scikit-image carries, with random focus and strength.

    Parameters
    ----------
    seed : draws the composites
    size : side of a composite in pixels
    max_sigma : sigma in pixels that the motorcycle's whole range of disparities would have; a composite's
        blurred part has 3/16 to 3/4 of it
    """
    rng = np.random.default_rng(seed)
    scene = load_motorcycle()
    spread = float(np.ptp(scene.disparity))
    for name, quantile in (("near", 0.9), ("middle", 0.5), ("far", 0.1)):
        focus = float(np.quantile(scene.disparity, quantile))
        yield f"motorcycle_{name}", scene, {"focus": focus, "sigma_per_disparity": max_sigma / spread}
    photographs = center_squares(size)
    for index in range(6):
        front, back = rng.choice(len(photographs), 2, replace=False)
        made = composite_scene(photographs[front], photographs[back], rng)
        focus, sigma_per_disparity = float(rng.integers(0, 2)), max_sigma * float(rng.uniform(3 / 16, 3 / 4))
        yield f"composite_{index}", made, {"focus": focus, "sigma_per_disparity": sigma_per_disparity, "layers": 2}


def write_embedded_set(folder: str | Path, *, seed: int, size: int) -> None:
    """Write the embedded benchmark set, images/NAME.png and sigma/NAME.npy of each of `embedded_scenes`.

    Parameters
    ----------
    folder : made anew
    seed, size : see `embedded_scenes`
    """
    for name, scene, lens in embedded_scenes(seed=seed, size=size):
        _write_pair(Path(folder), name, *render_defocus(scene, **lens))


COMPOSITE_IMAGES = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")


def center_squares(size: int, folder: str | Path | None = None, *, limit: int | None = None) -> list[np.ndarray]:
    """Return the middle squares of photographs, each (size, size, 3) float32 in [0, 1].

    Parameters
    ----------
    size : side in pixels
    folder : of photographs; None takes four that scikit-image carries
    limit : how many, evenly spaced in the list of the folder; None is all
    """
    files = list_images(folder) if folder else [package_folder("skimage") / name for name in COMPOSITE_IMAGES]
    if limit and len(files) > limit:
        files = [files[(2 * index + 1) * len(files) // (2 * limit)] for index in range(limit)]
    return [_center_square(as_float(read_for_measuring(file)), size) for file in files]


def _center_square(image: np.ndarray, size: int) -> np.ndarray:
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    image = image[top : top + side, left : left + side]
    shrinks = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.clip(cv2.resize(image, (size, size), interpolation=shrinks), 0, 1)


def _write_pair(folder: Path, name: str, image: np.ndarray, sigma: np.ndarray) -> None:
    picture = cv2.cvtColor(to_dtype(image, np.uint8), cv2.COLOR_RGB2BGR)
    atomic.write_bytes(folder / "images" / f"{name}.png", cv2.imencode(".png", picture)[1].tobytes())
    atomic.write_array(folder / "sigma" / f"{name}.npy", sigma)
