"""Multi-focus fusion: every pixel from the shot that is sharpest there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from . import align, backbones, images, least_squares, maps
from .focus import LEAST

UNSEEN = np.float32(1e-4)  # detail, in grey levels of 0..1, below which more or less of it tells nothing
FLOOR = np.float32(1e-3)  # weight of a pixel that has no vote


@dataclass(frozen=True)
class Settings:
    """How shots are fused; the defaults were chosen on composites of Kodak's photographs.

    Parameters
    ----------
    detail : sigma in pixels of the Gaussian whose residue is the detail of a shot
    reach : sigma in pixels of the Gaussian that gathers detail of two shots; of more, which differ less from
        one to the next, it is twice as wide
    gain : of the logarithm of the ratio of details in the vote for the shot with more
    noise : detail votes as far as it exceeds this many times that of the flattest fiftieth of the shots
    blur : weight of the vote for the shot of less blur by its defocus map, against 1 of detail
    smoothness, contrast : see :func:`defocus_core.least_squares.propagate`, which settles the votes
    smallest : regions below this share of the image may join what lies around them
    stake : they do where the differences in detail in them, in grey levels of 0..1, come to less than this
        times the side of the image (the square root of its pixels), so that a twig stays and a speck goes
    seam : sigma in pixels of the Gaussian that blends shots where they meet; 0 takes every pixel unchanged
    """

    detail: float = 1.5
    reach: float = 1.0
    gain: float = 4.0
    noise: float = 8.0
    blur: float = 0.3
    smoothness: float = 10.0
    contrast: float = 0.05
    smallest: float = 0.005
    stake: float = 0.0077
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

    Every shot in turn competes with what was chosen before it (:func:`sharper`): the detail around a pixel
    votes, and with less weight the defocus map. No pixel is taken from a shot in whose frame it was not.
    Three shots are in memory at a time where files are given: the first, one, and the one before it.

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
    if len(shots) > 2:
        settings = replace(settings, reach=2 * settings.reach)
    first = _pixels(shots[0])
    alignments = [align.Alignment()]
    best = evidence(first, model=model, settings=settings)
    labels, before = np.zeros(first.shape[:2], np.uint8), None
    for index, shot in enumerate(shots[1:], 1):
        pixels, name = _pixels(shot), f"shot {index + 1}"
        _check_alike(pixels, first, name=name)
        try:
            found = align.find(pixels, first, register=register, match_exposure=match_exposure, before=before)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        alignments.append(found)
        seen = evidence(found.apply(pixels), model=model, settings=settings)
        better = sharper(seen, best, settings=settings) & found.inside(labels.shape)
        labels[better], best[:, better] = index, seen[:, better]
        before = pixels, found
    aligned = zip(alignments, shots, strict=True)
    if settings.seam:
        return Fusion(_blended(aligned, labels, like=first, seam=settings.seam), labels)
    return Fusion(_taken(aligned, labels, like=first), labels)


def evidence(image: np.ndarray, *, model=None, settings: Settings = Settings()) -> np.ndarray:
    """Return what a shot tells of its focus: grey level, detail, sigma in pixels, (3, H, W) float32."""
    grey = images.grey(image)
    detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), settings.detail))
    detail = cv2.GaussianBlur(detail, (0, 0), settings.reach)
    return np.stack([grey, detail, maps.estimate(image, model=model)])


def sharper(shot: np.ndarray, other: np.ndarray, *, settings: Settings = Settings()) -> np.ndarray:
    """Say where one shot is sharper than another.

    Detail votes for the shot that has more of it, the defocus map for the shot of less blur, each as far as
    the two shots differ in it; detail that is hardly more than noise hardly votes. Least squares settle the
    votes over the image, whose decision changes sides at edges of their mean rather than elsewhere. Small
    regions in which little is at stake join what lies around them.

    Parameters
    ----------
    shot, other : of :func:`evidence`

    Returns
    -------
    (H, W) bool, False where no vote reaches, and at ties
    """
    (grey, detail, _), (grey_there, detail_there, _) = shot, other
    decision = least_squares.propagate(
        *_votes(shot, other, settings),
        (grey + grey_there) / 2,
        smoothness=settings.smoothness,
        contrast=settings.contrast,
    )
    return without_islands(
        decision > 0,
        smallest=int(settings.smallest * grey.size),
        stakes=np.abs(detail - detail_there),
        least=settings.stake * grey.size**0.5,
    )


def _votes(shot: np.ndarray, other: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return for each pixel -1 to 1, for the one shot where positive, and the weight of that."""
    (_, detail, sigma), (_, detail_there, sigma_there) = shot, other
    noise = UNSEEN + settings.noise * min(_flattest(detail), _flattest(detail_there))
    more = np.tanh(settings.gain * np.log((detail + noise) / (detail_there + noise)))
    less = np.tanh(2 * np.log((sigma_there + LEAST) / (sigma + LEAST)))
    weight = np.abs(more) + settings.blur * np.abs(less) + FLOOR
    more *= np.abs(more)
    less *= settings.blur * np.abs(less)
    more += less
    return np.divide(more, weight, out=more), weight


def _flattest(detail: np.ndarray) -> np.float32:
    """Return the detail below which a fiftieth of a shot lies: there, hardly anything but its noise.

    What has no detail at all, being clipped or a frame, has no noise either and does not count.
    """
    detail = detail[::4, ::4]
    detail = detail[detail > UNSEEN / 10]
    return np.float32(np.quantile(detail, 0.02)) if detail.size else np.float32(0)


def without_islands(mask: np.ndarray, *, smallest: int, stakes: np.ndarray, least: float) -> np.ndarray:
    """Turn every connected region of a mask, or of what it leaves out, that is small and matters little.

    Parameters
    ----------
    mask : (H, W) bool
    smallest : pixels from which a region stays
    stakes : (H, W) float32, what each pixel matters
    least : sum of stakes from which a region stays

    Returns
    -------
    (H, W) bool
    """
    mask = mask.copy()
    for side in (True, False):
        count, regions = cv2.connectedComponents((mask == side).astype(np.uint8), connectivity=4)
        pixels = np.bincount(regions.ravel(), minlength=count)
        matters = np.bincount(regions.ravel(), stakes.ravel(), count)
        turned = (pixels < smallest) & (matters < least)
        turned[0] = False  # the other side
        mask[turned[regions]] = not side
    return mask


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
    if pixels.shape[2:] != first.shape[2:]:
        raise ValueError(f"the first shot and {name} are not both grey or both in colour")
    if pixels.dtype != first.dtype:
        raise ValueError(f"the shots differ in depth: {first.dtype}, {name} {pixels.dtype}")
