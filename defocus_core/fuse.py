"""Multi-focus fusion: every pixel from the shot that is sharpest there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from . import align, backbones, images, maps, refine


@dataclass(frozen=True)
class Settings:
    """How shots are fused.

    Parameters
    ----------
    detail : sigma in pixels of the Gaussian whose residue is the detail of a shot
    reach : sigma in pixels of the Gaussian that gathers detail
    prior : weight of the defocus map, in grey levels of 0..1; it decides where there is no detail
    step : of the defocus maps, pixels
    radius, eps : of the guided filter that ties the decision to the edges of the shot
    smallest : regions below this share of the image join what lies around them
    seam : sigma in pixels of the Gaussian that blends shots where they meet; 0 takes every pixel unchanged
    """

    detail: float = 1.5
    reach: float = 2.0
    prior: float = 0.0001
    step: int = 4
    radius: int = 4
    eps: float = 0.01
    smallest: float = 0.005
    seam: float = 0.0

    def __post_init__(self):
        if not 0 <= self.seam < 100:
            raise ValueError(f"seam is 0 to 100 pixels, not {self.seam:g}")


@dataclass(frozen=True)
class Fusion:
    """A fused image and where it came from.

    Parameters
    ----------
    image : of the shots' shape and dtype
    labels : (H, W) uint8, index of the shot that each pixel comes from
    """

    image: np.ndarray
    labels: np.ndarray


def fuse(
    shots: Sequence[np.ndarray | str | Path | images.Page],
    *,
    model: backbones.Classifier | str | None = None,
    settings: Settings = Settings(),
    register: bool = False,
    match_exposure: bool = False,
) -> Fusion:
    """Fuse shots focused at different distances.

    A shot's score at a pixel is the detail around it, and the inverse of its defocus map where there is
    none, tied to its edges by a guided filter. Each pixel is taken from the shot of the highest score; small
    islands are given to their surroundings. No pixel is taken from a shot in whose frame it was not. Three
    shots are in memory at a time where files are given: the first, one, and the one before it.

    Parameters
    ----------
    shots : two to 255 arrays, (H, W) or (H, W, 3) RGB, uint8, uint16 or float in [0, 1], all alike, or
        files
    model : as for :func:`defocus_core.maps.estimate`
    register : first bring every shot onto the first one by an affine map, by way of the shot before it
        (:func:`defocus_core.align.find`), so that shots are best given in order of their focus
    match_exposure : first give every shot the exposure of the first one

    Raises
    ------
    ValueError
        If there are fewer than two shots or more than 255, their shapes or depths differ, or they cannot
        be registered.

    References
    ----------
    Galetto & Deng, arXiv 2107.14443, choose the shot by the defocus map alone.
    """
    if not 2 <= len(shots) <= 255:
        raise ValueError(f"fusion needs 2 to 255 shots, not {len(shots)}")
    first = _pixels(shots[0])
    alignments = [align.Alignment()]
    best = sharpness(first, model=model, settings=settings)
    labels, before = np.zeros(first.shape[:2], np.uint8), None
    for index, shot in enumerate(shots[1:], 1):
        pixels, name = _pixels(shot), f"shot {index + 1}"
        _check_alike(pixels, first, name=name)
        try:
            found = align.find(pixels, first, register=register, match_exposure=match_exposure, before=before)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        alignments.append(found)
        score = sharpness(found.apply(pixels), model=model, settings=settings)
        better = (score > best) & found.inside(labels.shape)
        labels[better], best[better] = index, score[better]
        before = pixels, found
    labels = without_islands(labels, int(settings.smallest * labels.size))
    for index, found in enumerate(alignments):
        labels[(labels == index) & ~found.inside(labels.shape)] = 0
    aligned = zip(alignments, shots, strict=True)
    if settings.seam:
        return Fusion(_blended(aligned, labels, like=first, seam=settings.seam), labels)
    return Fusion(_taken(aligned, labels, like=first), labels)


def sharpness(image: np.ndarray, *, model=None, settings: Settings = Settings()) -> np.ndarray:
    """Return the score by which shots compete, (H, W) float32, in logarithmic units; see :func:`fuse`."""
    grey = images.grey(image)
    detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), settings.detail))
    detail = cv2.GaussianBlur(detail, (0, 0), settings.reach)
    sigma = maps.estimate(image, model=model, step=settings.step, refine=False)
    score = np.log(detail + np.float32(settings.prior) / (sigma + np.float32(0.1)) + np.float32(1e-6))
    return refine.GuidedFilter(grey, radius=settings.radius, eps=settings.eps)(score)


def without_islands(labels: np.ndarray, smallest: int) -> np.ndarray:
    """Give every connected region of fewer pixels to the label that borders it most.

    Parameters
    ----------
    labels : (H, W) uint8
    smallest : pixels

    Returns
    -------
    (H, W) uint8
    """
    labels = labels.copy()
    for label in np.unique(labels):
        count, regions, stats, _ = cv2.connectedComponentsWithStats(
            (labels == label).astype(np.uint8), connectivity=4
        )
        for region in range(1, count):
            left, top, width, height, area = stats[region]
            if area >= smallest or area == labels.size:
                continue
            box = (slice(max(top - 1, 0), top + height + 1), slice(max(left - 1, 0), left + width + 1))
            inside = regions[box] == region
            ring = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~inside
            labels[box][inside] = np.bincount(labels[box][ring]).argmax()
    return labels


def _taken(aligned, labels: np.ndarray, *, like: np.ndarray) -> np.ndarray:
    """Take every pixel from the shot of its label."""
    fused = like.copy()
    for index, (found, shot) in enumerate(aligned):
        mine = labels == index
        if mine.any():
            fused[mine] = found.apply(_pixels(shot))[mine]
    return fused


def _blended(aligned, labels: np.ndarray, *, like: np.ndarray, seam: float) -> np.ndarray:
    """Take every pixel from the shot of its label, blended over the seams with those whose frame held it."""
    fused, total = np.zeros(like.shape, np.float32), np.zeros(labels.shape, np.float32)
    for index, (found, shot) in enumerate(aligned):
        mine = labels == index
        if mine.any():
            weight = cv2.GaussianBlur(mine.astype(np.float32), (0, 0), seam) * found.inside(labels.shape)
            total += weight
            fused += found.apply(_pixels(shot)) * weight.reshape(labels.shape + (1,) * (like.ndim - 2))
    fused /= total.reshape(labels.shape + (1,) * (like.ndim - 2))
    return (np.rint(fused) if np.issubdtype(like.dtype, np.integer) else fused).astype(like.dtype)


def _pixels(shot: np.ndarray | str | Path | images.Page) -> np.ndarray:
    return images.read(shot) if isinstance(shot, str | Path | images.Page) else np.asarray(shot)


def _check_alike(pixels: np.ndarray, first: np.ndarray, *, name: str) -> None:
    if pixels.shape[:2] != first.shape[:2]:
        raise ValueError(
            f"the shots differ in shape: {first.shape}, {name} {pixels.shape}; crop them to one frame first"
        )
    if pixels.ndim != first.ndim:
        raise ValueError(f"the first shot and {name} are not both grey or both in colour")
    if pixels.dtype != first.dtype:
        raise ValueError(f"the shots differ in depth: {first.dtype}, {name} {pixels.dtype}")
