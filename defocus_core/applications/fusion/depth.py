"""Where in a stack each pixel is sharpest, to a fraction of a shot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from defocus_core.applications.fusion.decide import MIN_DETAIL


@dataclass
class FocusPeak:
    """The detail of the chosen shot at each pixel, and that of its neighbours in the stack.

    Parameters
    ----------
    labels : (H, W) integers, the chosen shot
    at : (H, W) float32, its detail
    below, above : of the shot before it and after it; NaN where there is none
    reference : of the shot added first
    latest : of the shot added last
    last : index of that shot
    """

    labels: np.ndarray
    at: np.ndarray
    below: np.ndarray
    above: np.ndarray
    reference: np.ndarray
    latest: np.ndarray
    last: int

    @classmethod
    def of_first(cls, index: int, detail: np.ndarray) -> FocusPeak:
        """Start with one shot."""
        nothing = np.full_like(detail, np.nan)
        labels = np.full(detail.shape, index, np.uint16)
        kept = detail.copy()  # of a plane of measures, the rest of which may go
        return cls(labels, detail.copy(), nothing, nothing.copy(), kept, kept, index)

    def add(self, index: int, neighbour: int, detail: np.ndarray, better: np.ndarray) -> None:
        """Add the shot that lies next to one added before.

        Parameters
        ----------
        index, neighbour : of the shot and of the one beside it, which was added last or first
        detail : (H, W) float32
        better : (H, W) bool, where the shot is chosen
        """
        ahead, behind = (self.above, self.below) if index > neighbour else (self.below, self.above)
        np.copyto(ahead, detail, where=~better & (self.labels == neighbour))
        np.copyto(ahead, np.nan, where=better)
        np.copyto(behind, self.latest if neighbour == self.last else self.reference, where=better)
        np.copyto(self.at, detail, where=better)
        np.copyto(self.labels, index, where=better, casting="unsafe")
        self.latest, self.last = detail.copy(), index

    def depth(self) -> np.ndarray:
        """Return the place of the largest detail, (H, W) float32 in shots from 0: the peak of a parabola.

        The parabola goes through the logarithm of the detail of three shots; its peak lies within half a shot of the
        chosen one. At the ends of the stack that is the chosen one itself.
        """
        low, here, high = (np.log(values + MIN_DETAIL) for values in (self.below, self.at, self.above))
        bend = low - 2 * here + high
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = np.where(bend < 0, 0.5 * (low - high) / bend, np.sign(high - low) / 2)
        return (self.labels + np.nan_to_num(np.clip(offset, -0.5, 0.5))).astype(np.float32)

    def confidence(self, noise: float) -> np.ndarray:
        """Return how sure the depth is, (H, W) float32 in [0, 1].

        It is the share of the detail that is not noise, halved where a neighbouring shot has more detail.
        """
        signal = np.clip(1 - noise / np.maximum(self.at, MIN_DETAIL), 0, 1)
        peak = ~((self.below > self.at) | (self.above > self.at))
        return (signal * (0.5 + 0.5 * peak)).astype(np.float32)
