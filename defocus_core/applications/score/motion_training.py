"""Train the network that tells directional blur, on sharp photographs that are blurred while it trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn import functional

from defocus_core.applications.score.motion import SOFTENING, MotionNetwork, standardise
from defocus_core.blur.kernels import disk_blur, gaussian_blur, motion_blur
from defocus_core.blur.rendering import random_blob
from defocus_core.training.camera import develop
from defocus_core.training.config import CameraConfig
from defocus_core.training.descent import descend

PHOTOGRAPH_SIDE = 640  # shorter side in pixels to which photographs are reduced
SIDE, MARGIN, BATCH, WARM_UP = 128, 48, 32, 100  # pixels, pixels, images, steps
SHARP_SIGMA = 0.3  # pixels, of what is as sharp as its pixels allow
CAMERA = CameraConfig(fraction=0.3, noise=4.0, sharpening=0.6)


@dataclass(frozen=True)
class Blur:
    """Round blur, and motion along a line.

    Parameters
    ----------
    sigma : of the round blur, pixels
    motion : standard deviation along the line, pixels
    angle : of the line, radians clockwise from the rows
    disk : whether the round blur is that of a disk, and not of a Gaussian
    """

    sigma: float = 0.0
    motion: float = 0.0
    angle: float = 0.0
    disk: bool = False

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Return a blurred image, float32 of the shape of the image, (H, W) or (H, W, C)."""
        if self.sigma:
            image = (disk_blur if self.disk else gaussian_blur)(image, self.sigma)
        return motion_blur(image, self.motion, self.angle) if self.motion else image


@dataclass(frozen=True)
class Example:
    """A blurred image and the truth.

    Parameters
    ----------
    grey : (128, 128) float32 in [0, 1]
    truth : (4,) float32, what `MotionNetwork` answers
    """

    grey: np.ndarray
    truth: np.ndarray


def draw_blur(rng: np.random.Generator) -> Blur:
    """Draw no blur, a round one of up to 7 pixels, motion of .5 to 9 pixels, or motion of a soft photograph."""
    kind = rng.choice(["none", "round", "motion", "both"], p=[0.22, 0.22, 0.41, 0.15])
    sigma = motion = 0.0
    if kind == "none":
        sigma = float(rng.choice([0.0, rng.uniform(0.05, 0.4)], p=[0.6, 0.4]))
    if kind in ("round", "both"):
        sigma = _between(rng, 0.4, 7.0 if kind == "round" else 2.0)
    if kind in ("motion", "both"):
        motion = _between(rng, 0.5, 9.0)
    return Blur(sigma, motion, float(rng.uniform(0, np.pi)), bool(rng.random() < 0.5))


def draw_example(photographs: Sequence[np.ndarray], rng: np.random.Generator) -> Example:
    """Draw a photograph or a drawing, blurred whole or before a backdrop, maybe enlarged, as a camera stores it.

    Some are out of focus in parts first: the truth is that of the parts in focus.

    Parameters
    ----------
    photographs : (H, W) float32 in [0, 1], sharp
    """
    image, enlarged = _draw_image(photographs, rng)
    blur = draw_blur(rng)
    if rng.random() < 0.3:
        image = _defocus_in_parts(image, rng)
    if rng.random() < 0.3:
        blurred = _before_backdrop(image, blur, photographs, rng)
    else:
        blurred = blur.apply(image)
    scale = float(rng.uniform(1, 2)) if rng.random() < 0.15 else 1.0
    across = scale * float(np.hypot(SHARP_SIGMA * enlarged, blur.sigma))
    along = float(np.hypot(across, scale * blur.motion))
    anisotropy = 1 - (across + SOFTENING) / (along + SOFTENING)
    sides = np.log([along + SOFTENING, across + SOFTENING])
    direction = anisotropy * np.array([np.cos(2 * blur.angle), np.sin(2 * blur.angle)])
    grey = _store(_cut_middle(blurred, scale), rng)
    return Example(grey, np.concatenate([sides, direction]).astype(np.float32))


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number evenly in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _draw_image(photographs: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return a sharp image with margins, turned and mirrored, and by how much it had to be enlarged."""
    side, factor = SIDE + 2 * MARGIN, 1.0
    if rng.random() < 0.1:
        image = _drawing(side, rng)
    else:
        photograph = photographs[int(rng.integers(len(photographs)))]
        least = side / min(photograph.shape)
        factor = float(rng.uniform(max(least, 0.5), 1)) if least < 1 else least
        cut = min(round(side / factor), *photograph.shape)
        top, left = (int(rng.integers(0, length - cut + 1)) for length in photograph.shape)
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        image = cv2.resize(photograph[top : top + cut, left : left + cut], (side, side), interpolation=how)
        image = np.rot90(np.clip(image, 0, 1), int(rng.integers(4)))
        image = image[:, ::-1] if rng.random() < 0.5 else image
    if rng.random() < 0.3:
        image = image ** np.float32(rng.uniform(0.5, 2))
    return np.ascontiguousarray(image), max(factor, 1.0)


def _drawing(side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw windows in a wall, stripes or print, upright or turned, (side, side) float32."""
    wall, ink = (int(level) for level in rng.integers(0, 256, 2))
    image, kind = np.full((2 * side, 2 * side), wall, np.uint8), rng.integers(3)
    width, height = (int(value) for value in rng.integers(12, 60, 2))
    for left in range(int(rng.integers(width)), 2 * side, width):
        if kind == 0:
            image[:, left : left + width // 2] = ink
        for top in range(int(rng.integers(height)), 2 * side, height) if kind == 1 else ():
            image[top : top + 3 * height // 4, left : left + width // 2] = ink
    for row in range(30, 2 * side, 34) if kind == 2 else ():
        text = "".join(rng.choice(list("ABCDEFGHKLMNOPRSTUVXYZ0123456789"), 40))
        cv2.putText(image, text, (5, row), cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(0.4, 1), ink, 2, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((side, side), float(rng.choice([0, 90, rng.uniform(0, 180)])), 1)
    middle = slice(side // 2, side // 2 + side)
    turned = cv2.warpAffine(image, turn, image.shape[::-1], borderMode=cv2.BORDER_REFLECT)
    return turned[middle, middle].astype(np.float32) / 255


def _defocus_in_parts(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur an image outside a blob, whose border is soft or hard."""
    blob = random_blob(image.shape, rng, share=rng.uniform(0.2, 0.7)).astype(np.float32)
    focused = np.asarray(cv2.GaussianBlur(blob, (0, 0), _between(rng, 0.5, 20)))
    return focused * image + (1 - focused) * gaussian_blur(image, _between(rng, 1, 8))


def _before_backdrop(
    image: np.ndarray, blur: Blur, photographs: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Blur a part of an image before a plain field, or before another photograph that is blurred more."""
    coverage = random_blob(image.shape, rng, share=rng.uniform(0.15, 0.6)).astype(np.float32)
    light, covered = np.moveaxis(blur.apply(np.dstack([image * coverage, coverage])), 2, 0)
    backdrop: np.ndarray | np.float32 = np.float32(rng.uniform(0, 1))
    if rng.random() < 1 / 3:
        other = cv2.resize(photographs[int(rng.integers(len(photographs)))], image.shape[::-1])
        backdrop = gaussian_blur(other, max(4.0, 1.5 * max(blur.sigma, blur.motion)))
    return light + (1 - covered) * backdrop


def _cut_middle(image: np.ndarray, scale: float) -> np.ndarray:
    """Return the middle of an image, enlarged."""
    first = (len(image) - SIDE / scale) / 2 + (1 / scale - 1) / 2
    matrix = np.array([[1 / scale, 0, first], [0, 1 / scale, first]])
    return cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)


def _store(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an image of less contrast, as a camera develops it and a file holds it, (H, W) float32 in [0, 1]."""
    grey = develop(np.clip(grey, 0, 1), CAMERA, rng)
    if rng.random() < 0.4:
        contrast = _between(rng, 0.08, 1)
        grey = rng.uniform(0, 1 - contrast) + contrast * grey
    if rng.random() < 0.5:
        grey = grey + rng.normal(0, rng.choice([0.4, 1, 2, 4, 8]) / 255, grey.shape)
    levels = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    if rng.random() < 0.35:
        coded = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 97))])[1]
        levels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
    return levels.astype(np.float32) / 255


def train_motion(
    photographs: Sequence[np.ndarray], *, steps: int, peak_rate: float = 4e-3, seed: int = 0
) -> Iterator[tuple[MotionNetwork, float]]:
    """Train a network; yield it after every hundred steps, and the mean loss of these.

    Parameters
    ----------
    photographs : (H, W) float32 in [0, 1], sharp
    steps : of AdamW on 32 images of 128 pixels, by a cosine schedule
    peak_rate : largest learning rate
    seed : of the images and the weights
    """
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = MotionNetwork().to(memory_format=torch.channels_last)
    counted = torch.ones(BATCH, 1, SIDE, SIDE)

    def take_batch() -> tuple[torch.Tensor, float]:
        batch = [draw_example(photographs, rng) for _ in range(BATCH)]
        grey = torch.from_numpy(np.stack([standardise(example.grey) for example in batch]))[:, None]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            answers = network(grey.contiguous(memory_format=torch.channels_last), counted)
        loss = _loss(answers.float(), torch.from_numpy(np.stack([example.truth for example in batch])))
        return loss, loss.item()

    for loss in descend(
        *(network, take_batch), steps=steps, peak_rate=peak_rate, last_fraction=0.01, warm_up=WARM_UP, weight_decay=1e-3
    ):
        yield network, loss


def _loss(answers: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    along, across = (functional.smooth_l1_loss(answers[:, i], truth[:, i], beta=0.2) for i in range(2))
    direction = (answers[:, 2:] - truth[:, 2:]).square().sum(1).mean()
    return along + across / 2 + 2 * direction
