"""Decide which of two shots is sharper at each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from defocus_core.blur.sigma_scale import MIN_SIGMA
from defocus_core.io.color import to_grey
from defocus_core.maps.pipeline import estimate
from defocus_core.maps.refine.least_squares import propagate

MIN_DETAIL = np.float32(1e-4)  # detail, in grey levels of 0..1, below which more or less of it tells nothing
MIN_WEIGHT = np.float32(1e-3)  # weight of a pixel that has no vote


@dataclass(frozen=True)
class FusionConfig:
    """Settings of fusion; the defaults were chosen on composites of Kodak's photographs.

    Parameters
    ----------
    detail : sigma in pixels of the Gaussian whose residue is the detail of a shot
    reach : sigma in pixels of the Gaussian that gathers detail of two shots; of more, which differ less from
        one to the next, it is twice as wide
    gain : of the logarithm of the ratio of details in the vote for the shot with more
    noise : detail votes as far as it exceeds this many times that of the flattest fiftieth of the shots
    blur : weight of the vote for the shot of less blur by its defocus map, against 1 of detail
    smoothness, contrast : see `propagate`, which settles the votes
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


def focus_measures(image: np.ndarray, *, model=None, config: FusionConfig = FusionConfig()) -> np.ndarray:
    """Return the focus measures of a shot: grey level, detail, sigma in pixels, (3, H, W) float32."""
    grey = to_grey(image)
    detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), config.detail))
    detail = cv2.GaussianBlur(detail, (0, 0), config.reach)
    return np.stack([grey, detail, estimate(image, model=model)])


def decide_sharper(shot: np.ndarray, other: np.ndarray, *, config: FusionConfig = FusionConfig()) -> np.ndarray:
    """Decide where one shot is sharper than another.

    Detail votes for the shot that has more of it, the defocus map for the shot of less blur, each as far as
    the two shots differ in it; detail that is hardly more than noise hardly votes. Least squares settle the
    votes over the image, whose decision changes sides at edges of their mean rather than elsewhere. Small
    regions in which little is at stake join what lies around them.

    Parameters
    ----------
    shot, other : of `focus_measures`

    Returns
    -------
    (H, W) bool, False where no vote reaches, and at ties
    """
    (grey, detail, _), (grey_there, detail_there, _) = shot, other
    decision = propagate(
        *_votes(shot, other, config),
        (grey + grey_there) / 2,
        smoothness=config.smoothness,
        contrast=config.contrast,
    )
    return remove_small_regions(
        decision > 0,
        smallest=int(config.smallest * grey.size),
        stakes=np.abs(detail - detail_there),
        least=config.stake * grey.size**0.5,
    )


def _votes(shot: np.ndarray, other: np.ndarray, config: FusionConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return for each pixel -1 to 1, for the one shot where positive, and the weight of that."""
    (_, detail, sigma), (_, detail_there, sigma_there) = shot, other
    noise = MIN_DETAIL + config.noise * min(_noise_level(detail), _noise_level(detail_there))
    more = np.tanh(config.gain * np.log((detail + noise) / (detail_there + noise)))
    less = np.tanh(2 * np.log((sigma_there + MIN_SIGMA) / (sigma + MIN_SIGMA)))
    weight = np.abs(more) + config.blur * np.abs(less) + MIN_WEIGHT
    more *= np.abs(more)
    less *= config.blur * np.abs(less)
    more += less
    return np.divide(more, weight, out=more), weight


def _noise_level(detail: np.ndarray) -> np.float32:
    """Return the detail below which a fiftieth of a shot lies: there, hardly anything but its noise.

    What has no detail at all, being clipped or a frame, has no noise either and does not count.
    """
    detail = detail[::4, ::4]
    detail = detail[detail > MIN_DETAIL / 10]
    return np.float32(np.quantile(detail, 0.02)) if detail.size else np.float32(0)


def remove_small_regions(mask: np.ndarray, *, smallest: int, stakes: np.ndarray, least: float) -> np.ndarray:
    """Flip every connected region of a mask, or of its complement, that is small and matters little.

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
