"""The fused image as it grows, shot by shot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from defocus_core.applications.fusion.decide import FusionConfig, decision_field, find_alike
from defocus_core.applications.fusion.depth import FocusPeak
from defocus_core.applications.fusion.exposure import exposures_differ
from defocus_core.applications.fusion.labels import label_dtype
from defocus_core.applications.fusion.veil import prefer_back, prefer_front
from defocus_core.io.arrays import strips

Preference = Literal["front", "back"]
EVEN, TOP = 128, 127  # level of a decision that is for neither shot, and how much more is wholly for the new one
MIXED_LEVELS = 38  # from even, up to which a pixel is a mix of both shots
SHARES = np.clip((np.arange(256, dtype=np.float32) - EVEN) / (2 * MIXED_LEVELS) + 0.5, 0, 1)  # of the new shot
MAX_AVERAGED = 255  # shots that are counted in a mean; each further one has the share of the last
MIXED_ROWS = 32  # that are mixed at once, so that the processor's cache holds them
MEAN_SHARES = 1 / np.maximum(np.arange(MAX_AVERAGED + 1, dtype=np.float32), 1)  # of the last of so many shots


@dataclass
class Composite:
    """The choice so far, at every pixel.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), of the shots' dtype
    labels : (H, W) uint8 or uint16, the shot of each pixel, or the sharpest of those that it is a mix of
    averaged : (H, W) uint8, of how many shots flat ground is the mean, 255 of more; 1 elsewhere. None where nothing is
        averaged: of two shots, and where seams are blended
    fraction : of the image's shape, int8, what a mix of 8-bit shots has beyond the image, in 1/256 grey level: rounded
        after every shot, a mean would hardly move after some; None where nothing is averaged or shots have more bits
    shown : (H, W) bool, where any shot shows something
    shared : (H, W) bool, where all shots do
    best : (3, h, w) float32, `focus_measures` of the chosen shot
    least_sigma : (h, w) float32, the least blur of all shots by their defocus maps, pixels
    doubt : (h, w) float32, how much grey levels differ where the choice was close
    peak : see `FocusPeak`
    step : of the decision, see `decision_step`
    same_exposure : whether all shots so far have one exposure
    """

    image: np.ndarray
    labels: np.ndarray
    averaged: np.ndarray | None
    fraction: np.ndarray | None
    shown: np.ndarray
    shared: np.ndarray
    best: np.ndarray
    least_sigma: np.ndarray
    doubt: np.ndarray
    peak: FocusPeak
    step: int
    same_exposure: bool = True

    @classmethod
    def of_first(
        cls,
        index: int,
        pixels: np.ndarray,
        measures: np.ndarray,
        shown: np.ndarray,
        *,
        count: int,
        step: int,
        averages: bool = True,
    ) -> Composite:
        """Start with one shot of a stack of `count`, whose flat ground may be averaged."""
        labels, averages = np.full(pixels.shape[:2], index, label_dtype(count)), averages and count > 2
        averaged = np.ones_like(labels, np.uint8) if averages else None
        fraction = np.zeros_like(pixels, np.int8) if averages and pixels.dtype == np.uint8 else None
        doubt, peak = np.zeros_like(measures[0]), FocusPeak.of_first(index, measures[1])
        seen, best = (shown.copy(), shown.copy()), measures.copy()
        sigma = np.where(_shrink(shown, measures[2].shape), measures[2], np.float32(np.inf))
        return cls(pixels.copy(), labels, averaged, fraction, *seen, best, sigma, doubt, peak, step)

    def add(
        self,
        index: int,
        neighbour: int,
        pixels: np.ndarray,
        measures: np.ndarray,
        shown: np.ndarray,
        *,
        config: FusionConfig = FusionConfig(),
        prefer: Preference | None = None,
    ) -> None:
        """Take what an aligned shot has sharper, mix where that is close, and average flat ground that it has alike.

        Parameters
        ----------
        index, neighbour : of the shot, and of the one beside it that was added before
        pixels : of the shape and dtype of the image
        measures : its `focus_measures`
        shown : (H, W) bool, where it shows something
        prefer : which shot wins where a veil of the front lies over the background, shots being given from front to
            back
        """
        self.same_exposure = self.same_exposure and not exposures_differ(
            measures, self.best, shown & self.shown, config
        )
        field = decision_field(measures, self.best, config=config, step=self.step, same_exposure=self.same_exposure)
        if prefer:
            field = self._with_preference(field, index, measures[2], prefer)
        both = shown & self.shown  # not before the decision, which takes the most memory
        gap = np.abs(measures[0] - self.best[0])
        gap *= 1 - np.minimum(np.abs(field), 1)
        gap *= _shrink(both, field.shape)
        np.maximum(self.doubt, gap, out=self.doubt)
        levels = _enlarge(field, self.labels.shape)
        better = (levels > EVEN) | ~self.shown
        better &= shown
        small = _shrink(better, field.shape)
        if config.seam_sigma is not None:
            levels = np.where(better, np.uint8(EVEN + TOP), np.uint8(EVEN - TOP))
        self._take_pixels(pixels, measures, better, levels, both)
        self.shown |= shown
        self.shared &= shown
        np.copyto(self.labels, index, where=better, casting="unsafe")
        np.copyto(self.best, measures, where=small)
        np.minimum(self.least_sigma, measures[2], out=self.least_sigma, where=_shrink(shown, field.shape))
        self.peak.add(index, neighbour, measures[1], small)

    def _take_pixels(
        self, pixels: np.ndarray, measures: np.ndarray, better: np.ndarray, levels: np.ndarray, both: np.ndarray
    ) -> None:
        """Where both show something, average what is alike and mix what is close; copy what else is better."""
        alike = None if self.averaged is None else self._find_alike(measures, both)
        for rows in strips(len(pixels), MIXED_ROWS):
            share = np.where(both[rows], SHARES[levels[rows]], better[rows])
            if self.averaged is not None and alike is not None:
                count_in_means(self.averaged[rows], share, alike[rows])
            fraction = None if self.fraction is None else self.fraction[rows]
            mix_into(self.image[rows], pixels[rows], share, fraction=fraction)

    def _find_alike(self, measures: np.ndarray, both: np.ndarray) -> np.ndarray:
        """Return the flat ground that a shot has alike, (H, W) bool."""
        alike = find_alike(measures, self.best, step=self.step)
        if self.step > 1:
            alike = cv2.resize(alike.view(np.uint8), both.shape[::-1], interpolation=cv2.INTER_NEAREST).view(bool)
        alike &= both
        return alike

    def _with_preference(self, field: np.ndarray, index: int, sigma: np.ndarray, prefer: Preference) -> np.ndarray:
        nearer = index < self.peak.labels
        front = (field > 0) == nearer
        of_front, of_back = np.where(nearer, sigma, self.best[2]), np.where(nearer, self.best[2], sigma)
        if prefer == "front":
            front = prefer_front(front, of_back, step=self.step)
        else:
            front = prefer_back(front, of_front, of_back)
        chosen = front == nearer
        size = np.maximum(np.abs(field), np.float32(MIXED_LEVELS / TOP))
        return np.where(chosen, size, -size)


def _shrink(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask at the size of a decision, (h, w) bool."""
    return mask if mask.shape == shape else cv2.resize(mask.view(np.uint8), shape[::-1]) > 0


def _enlarge(field: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the levels of a field enlarged to a shape, (H, W) uint8, which take a quarter of floats."""
    levels = np.clip(np.rint(field * TOP), -TOP, TOP)
    levels += (levels == 0) * np.where(field > 0, 1, -1)
    levels = (levels + EVEN).astype(np.uint8)
    return levels if field.shape == shape else cv2.resize(levels, shape[::-1], interpolation=cv2.INTER_LINEAR)


def count_in_means(averaged: np.ndarray, share: np.ndarray, alike: np.ndarray) -> None:
    """Count one more shot in the means of flat ground.

    Parameters
    ----------
    averaged : (H, W) uint8, see `Composite`; is written to
    share : (H, W) float32 in [0, 1], of the shot; is written to where it is alike
    alike : (H, W) bool, where the shot has the same flat ground
    """
    averaged += alike & (averaged < MAX_AVERAGED)
    np.copyto(averaged, 1, where=(share > 0) & ~alike)
    np.copyto(share, MEAN_SHARES[averaged], where=alike)


def mix_into(image: np.ndarray, pixels: np.ndarray, share: np.ndarray, *, fraction: np.ndarray | None = None) -> None:
    """Make an image a mix of itself and of one more shot.

    Parameters
    ----------
    image, pixels : (H, W) or (H, W, 3), of one dtype; the image is written to
    share : (H, W) float32 in [0, 1], of the shot; where it is 0, the image stays, where it is 1, it is the shot
    fraction : of the image's shape, int8, what the mix has beyond an image of integers, in 1/256; is written to
    """
    share = share.reshape(share.shape + (1,) * (image.ndim - 2))
    mixed, replaced = (share > 0) & (share < 1), share == 1
    if mixed.any():
        mix = image.astype(np.float32)
        if fraction is not None:
            mix += fraction * np.float32(1 / 256)
        mix += (pixels - mix) * share
        whole = np.rint(mix) if image.dtype.kind == "u" else mix
        np.copyto(image, whole, where=mixed, casting="unsafe")
        if fraction is not None:
            np.copyto(fraction, np.clip(np.rint((mix - whole) * 256), -128, 127), where=mixed, casting="unsafe")
    np.copyto(image, pixels, where=replaced)
    if fraction is not None:
        np.copyto(fraction, 0, where=replaced)
