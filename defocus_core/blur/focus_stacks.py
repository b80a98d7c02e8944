"""Focus stacks rendered from layered scenes of known depth."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.blur.rendering import Scene, random_blob, render_defocus
from defocus_core.io.color import linear_to_srgb, srgb_to_linear, to_dtype

NEARLY_SHARPEST = 0.5  # pixels of sigma by which a shot may be less sharp than the sharpest
NEVER_IN_FOCUS = -0.6  # disparity of a background behind every focused plane


@dataclass(frozen=True)
class RenderedStack:
    """Shots of a scene and their truth.

    Parameters
    ----------
    name : kind of the scene
    shots : (H, W, 3) uint8 each, focused from far to near
    truth : (H, W, 3) float32 in [0, 1], every pixel as sharp as the sharpest shot has it, and without the veils that
        a blurred front lays over it there
    sigmas : (shots, H, W) float32, blur of each shot, pixels
    """

    name: str
    shots: list[np.ndarray]
    truth: np.ndarray
    sigmas: np.ndarray


@dataclass(frozen=True)
class Camera:
    """What a camera does to shots.

    Parameters
    ----------
    shots : number of shots, focused evenly from disparity 0 to 1
    sigma_per_disparity : sigma in pixels for one unit of disparity
    noise : standard deviation of sensor noise in grey levels of 0..255
    jpeg : quality; None stores the shots without loss
    """

    shots: int = 5
    sigma_per_disparity: float = 8.0
    noise: float = 0.0
    jpeg: int | None = None


def render_stack(name: str, scene: Scene, camera: Camera, rng: np.random.Generator) -> RenderedStack:
    """Photograph a scene as a focus stack, in linear light, through a disk-shaped aperture."""
    lit = Scene(srgb_to_linear(scene.image), scene.disparity)
    levels = np.unique(scene.disparity)
    layers = levels if len(levels) <= 24 else 24
    render = functools.partial(
        render_defocus, lit, sigma_per_disparity=camera.sigma_per_disparity, layers=layers, aperture="disk"
    )
    focuses = np.linspace(0, 1, camera.shots)
    rendered = [render(focus=focus) for focus in focuses]
    sigmas = np.stack([sigma for _, sigma in rendered])
    sharpest, blurred = sigmas.argmin(0), sigmas.min(0) >= NEARLY_SHARPEST
    truth = scene.image.copy()
    for index in np.unique(sharpest[blurred]):
        here = blurred & (sharpest == index)
        truth[here] = linear_to_srgb(render(focus=focuses[index], veils=False)[0][here])
    pictures = [linear_to_srgb(light) for light, _ in rendered]
    return RenderedStack(name, [expose(picture, camera, rng) for picture in pictures], truth, sigmas)


def layered_scenes(photographs: Sequence[np.ndarray], rng: np.random.Generator) -> Iterator[tuple[str, Scene]]:
    """Yield scenes of each kind: bars, print, a silhouette, twigs, lights behind all focus, photographs.

    Parameters
    ----------
    photographs : (H, W, 3) float32 RGB in [0, 1], sharp, of one size, two at least
    rng : draws what the scenes hold
    """
    first, second = (photographs[i] for i in rng.choice(len(photographs), 2, replace=False))
    shape = first.shape[:2]
    for name, draw in (
        ("bars", _bars),
        ("print", _print),
        ("silhouette", _silhouette),
        ("twigs", _twigs),
        ("lights", _lights),
    ):
        yield name, draw(first, shape, rng)
    scene = _plain(first)
    yield (
        "photographs",
        _lay(_lay(scene, second, random_blob(shape, rng), 0.5), first[::-1], _disc(shape, rng, 0.2), 1.0),
    )


def _plain(image: np.ndarray, disparity: float = 0.0) -> Scene:
    return Scene(image, np.full(image.shape[:2], disparity, np.float32))


def _lay(scene: Scene, image: np.ndarray, mask: np.ndarray, disparity: float) -> Scene:
    """Lay an image before a scene, where a mask is."""
    return Scene(
        np.where(mask[:, :, None], image, scene.image).astype(np.float32),
        np.where(mask, np.float32(disparity), scene.disparity),
    )


def _grey(shape: tuple[int, int], value: float) -> np.ndarray:
    return np.full((*shape, 3), value, np.float32)


def _disc(shape: tuple[int, int], rng: np.random.Generator, radius: float) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    centre = rng.uniform(0.35, 0.65, 2) * shape
    return np.hypot(y - centre[0], x - centre[1]) < radius * min(shape)


def _bars(photograph: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Draw black bars far away behind a textured disc."""
    image = _grey(shape, 0.9)
    period = int(rng.integers(40, 70))
    for left in range(int(rng.integers(period)), shape[1], period):
        image[:, left : left + period // 3] = 0.04
    return _lay(_plain(image), photograph, _disc(shape, rng, 0.25), 1.0)


def _print(photograph: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Draw print on paper at two depths."""
    page = np.full((*shape, 3), 224, np.uint8)
    for row in range(30, shape[0], 34):
        text = "".join(rng.choice(list("ABCDEFGHKLMNOPRSTUVXYZ0123456789"), 40))
        cv2.putText(page, text, (5, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2, cv2.LINE_AA)
    paper = page.astype(np.float32) / 255
    near = np.zeros(shape, bool)
    near[:, shape[1] // 2 :] = True
    return _lay(_lay(_plain(paper), paper, near, 0.5), photograph, _disc(shape, rng, 0.15), 1.0)


def _silhouette(photograph: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Draw dark shapes against a bright, plain sky, at two depths, before a textured strip."""
    scene = _plain(_grey(shape, 0.95), 0.0)
    ground = np.zeros(shape, bool)
    ground[-shape[0] // 5 :] = True
    scene = _lay(scene, photograph, ground, 0.25)
    scene = _lay(scene, _grey(shape, 0.03), random_blob(shape, rng, share=0.15), 0.5)
    return _lay(scene, _grey(shape, 0.1), _disc(shape, rng, 0.12), 1.0)


def _twigs(photograph: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Draw thin twigs at several depths over flat ground."""
    scene = _plain(0.6 * _grey(shape, 0.7) + 0.4 * cv2.GaussianBlur(photograph, (0, 0), 12), 0.0)
    for disparity in (0.25, 0.5, 0.75, 1.0):
        mask = np.zeros(shape, np.uint8)
        for _ in range(4):
            ends = rng.uniform(0, 1, (2, 2)) * shape[::-1]
            start, end = ((int(x), int(y)) for x, y in ends)
            cv2.line(mask, start, end, 1, int(rng.integers(1, 5)))
        shade = _grey(shape, float(rng.uniform(0.05, 0.4)))
        scene = _lay(scene, shade, mask.astype(bool), disparity)
    return scene


def _lights(photograph: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Draw bright points and blobs behind every plane in focus, and a textured subject before them."""
    far = 0.15 * cv2.GaussianBlur(photograph[:, ::-1], (0, 0), 6)
    for _ in range(25):
        centre = tuple(int(v) for v in rng.uniform(0, 1, 2) * shape[::-1])
        cv2.circle(far, centre, int(rng.integers(1, 5)), tuple(map(float, rng.uniform(0.7, 1, 3))), -1, cv2.LINE_AA)
    scene = _plain(far, NEVER_IN_FOCUS)
    scene = _lay(scene, photograph, random_blob(shape, rng, share=0.3), 0.3)
    return _lay(scene, photograph[::-1], _disc(shape, rng, 0.15), 1.0)


def expose(picture: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Add the camera's noise and coding, (H, W, 3) uint8."""
    noisy = picture + rng.normal(0, camera.noise / 255, picture.shape) if camera.noise else picture
    shot = to_dtype(noisy, np.uint8)
    if camera.jpeg is None:
        return shot
    coded = cv2.imencode(".jpg", shot[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB))
