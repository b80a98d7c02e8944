"""Sharp photographs that training scenes are cut from: crops, silhouettes, people."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from skimage.segmentation import felzenszwalb

from defocus_core.blur.rendering import random_blob

MIN_PERSON_PIXELS = 3000  # of a silhouette, for it to serve as an object


@dataclass(frozen=True)
class SegmentedPhotograph:
    """A sharp photograph and what can be cut from it.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    regions : (H, W) int, a segmentation whose regions serve as silhouettes
    sigma : the photograph's own blur, pixels
    people : (H, W) int32, pieces of a silhouette of people, numbered from 1 on, 0 elsewhere; None where a photograph
        shows none, while a crop of one that shows some may hold 0 alone
    """

    grey: np.ndarray
    regions: np.ndarray
    sigma: float = 0.0
    people: np.ndarray | None = None

    @classmethod
    def of(cls, grey: np.ndarray, sigma: float = 0.0, people: np.ndarray | None = None) -> SegmentedPhotograph:
        """Segment a photograph.

        Parameters
        ----------
        grey, sigma : as of the photograph
        people : (H, W) bool, True where people are; pieces of fewer than 3000 pixels count as none

        Raises
        ------
        ValueError
            If `people` does not fit `grey`.
        """
        if people is not None and people.shape != grey.shape:
            raise ValueError(f"a silhouette of {people.shape} for a photograph of {grey.shape}; cut it out of that")
        small = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        regions = felzenszwalb(small, scale=300, sigma=0.8, min_size=150)
        size = (grey.shape[1], grey.shape[0])
        regions = cv2.resize(regions.astype(np.int32), size, interpolation=cv2.INTER_NEAREST)
        return cls(grey, regions, sigma, None if people is None else _large_pieces(people))


def draw_crop(photograph: SegmentedPhotograph, frame: int, rng: np.random.Generator) -> SegmentedPhotograph:
    """Draw a crop of `frame` pixels a side, reduced up to 2.5 times; the photograph has so many pixels or more."""
    height, width = photograph.grey.shape
    scale = rng.uniform(max(frame / min(height, width), 0.4), 1.0)
    side = min(int(frame / scale), height, width)
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    return _cut(photograph, top, left, side=side, frame=frame, mirrored=rng.random() < 0.5)


def draw_person(
    photograph: SegmentedPhotograph, frame: int, rng: np.random.Generator
) -> tuple[SegmentedPhotograph, np.ndarray]:
    """Draw a crop around one of a photograph's people, whole or in part.

    Parameters
    ----------
    photograph : whole, with people
    frame : side of the crop, pixels

    Returns
    -------
    the crop, and (frame, frame) bool, True where people are
    """
    assert photograph.people is not None
    rows, columns = np.nonzero(photograph.people == rng.integers(1, photograph.people.max() + 1))
    most = min(photograph.grey.shape)
    side = int(np.clip(max(np.ptp(rows), np.ptp(columns)) * rng.uniform(0.6, 1.5), min(frame, most), most))
    seen = int(rng.integers(len(rows)))
    top, left = (
        int(np.clip(place - side * rng.uniform(0.2, 0.8), 0, length - side))
        for place, length in zip((rows[seen], columns[seen]), photograph.grey.shape, strict=True)
    )
    crop = _cut(photograph, top, left, side=side, frame=frame, mirrored=rng.random() < 0.5)
    assert crop.people is not None
    return crop, crop.people > 0


def draw_silhouette(regions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a mask: a smooth blob, or the photograph's own regions that a blob mostly holds."""
    mask = random_blob(regions.shape, rng, share=rng.uniform(0.1, 0.5))
    if rng.random() < 0.5:
        return mask
    _, index = np.unique(regions, return_inverse=True)
    index = index.reshape(regions.shape)
    held = np.bincount(index[mask], minlength=index.max() + 1) / np.bincount(index.ravel())
    grown = (held > 0.5)[index]
    return grown if 0.03 < grown.mean() < 0.8 else mask


def _large_pieces(people: np.ndarray) -> np.ndarray | None:
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(people.astype(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] >= MIN_PERSON_PIXELS
    large[0] = False
    return np.where(large, np.cumsum(large), 0).astype(np.int32)[pieces] if large.any() else None


def _cut(
    photograph: SegmentedPhotograph, top: int, left: int, *, side: int, frame: int, mirrored: bool
) -> SegmentedPhotograph:
    """Cut a square and resize it to `frame` pixels."""

    def cut(values: np.ndarray, interpolation: int) -> np.ndarray:
        values = cv2.resize(values[top : top + side, left : left + side], (frame, frame), interpolation=interpolation)
        return np.ascontiguousarray(values[:, ::-1] if mirrored else values)

    people = photograph.people
    return SegmentedPhotograph(
        np.clip(cut(photograph.grey, cv2.INTER_AREA), 0, 1),
        cut(photograph.regions, cv2.INTER_NEAREST),
        photograph.sigma * frame / side,
        None if people is None else cut(people, cv2.INTER_NEAREST),
    )
