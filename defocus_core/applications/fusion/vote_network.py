"""A small network that votes for the one of two shots that is nearer to the picture in focus everywhere."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from defocus_core.networks.small_weights import load_half

WEIGHTS = Path(__file__).parent / "weights" / "votes.safetensors"
WIDTHS = (16, 24, 32, 40, 40)  # channels at a half to a thirty-second of the size
STRIDE = 2 ** len(WIDTHS)  # pixels, of which sides are multiples inside the network
MAX_PIXELS = 2e6  # of measures that are voted on as they are
FEATURES = 8


class VoteNetwork(nn.Module):
    """A U-net whose ways up and down are added.

    Notes
    -----
    `forward` takes (N, 8, H, W) `pair_features`, of sides that are multiples of 32, and gives (N, H, W) logits of the
    first shot being nearer.
    """

    def __init__(self) -> None:
        super().__init__()
        steps = list(itertools.pairwise(WIDTHS))
        self.stem = _convolve(4 * FEATURES, WIDTHS[0])
        self.across = _convolve(WIDTHS[0], WIDTHS[0])
        self.down = nn.ModuleList(nn.Sequential(_convolve(a, b), _convolve(b, b)) for a, b in steps)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in steps)
        self.merge = nn.ModuleList(_convolve(a, a) for a, _ in steps)
        self.answer = nn.Conv2d(WIDTHS[0], 4, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logits of pairs."""
        x = self.stem(functional.pixel_unshuffle(features, 2))
        levels = [self.across(x)]
        for down in self.down:
            x = down(functional.avg_pool2d(x, 2))
            levels.append(x)
        x = levels.pop()
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            x = merge(levels.pop() + functional.interpolate(up(x), scale_factor=2, mode="bilinear"))
        return functional.pixel_shuffle(self.answer(x), 2)[:, 0]


def _convolve(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.ReLU())


def pair_features(shot: np.ndarray, other: np.ndarray, noise: float | np.float32) -> np.ndarray:
    """Return what the network sees of two shots.

    Parameters
    ----------
    shot, other : (3, H, W) float32 of `focus_measures`
    noise : detail that is hardly more than noise, in grey levels of 0..1

    Returns
    -------
    (8, H, W) float32
    """
    (grey, detail, sigma), (grey_there, detail_there, sigma_there) = shot, other
    features = np.empty((FEATURES, *grey.shape), np.float32)
    features[0] = grey - np.float32(0.5)
    features[1] = grey_there - np.float32(0.5)
    features[2] = np.clip(10 * (grey - grey_there), -2, 2)
    features[3] = np.log1p(detail / noise)
    features[4] = np.log1p(detail_there / noise)
    features[5] = 2 * (features[3] - features[4])
    features[6] = np.log(sigma + np.float32(0.3)) - 1
    features[7] = np.log(sigma_there + np.float32(0.3)) - 1
    return features


def swap_shots(features: np.ndarray) -> np.ndarray:
    """Return the `pair_features` of two shots in the other order."""
    swapped = features[[1, 0, 2, 4, 3, 5, 7, 6]]
    swapped[[2, 5]] *= -1
    return swapped


def network_votes(shot: np.ndarray, other: np.ndarray, noise: float | np.float32, *, step: int = 1) -> np.ndarray:
    """Return the network's votes, from copies of two megapixels at most.

    Parameters
    ----------
    shot, other, noise : see `pair_features`
    step : pixels of the shots from one pixel of their measures to the next

    Returns
    -------
    (H, W) float32 in [-1, 1], above 0 for the first shot
    """
    height, width = shot.shape[1:]
    shrink = 1
    while height * width > MAX_PIXELS * shrink**2:
        shrink *= 2
    votes = _vote(_shrink(shot, shrink, step), _shrink(other, shrink, step), noise)
    return votes if shrink == 1 else cv2.resize(votes, (width, height), interpolation=cv2.INTER_LINEAR)


def _shrink(measures: np.ndarray, shrink: int, step: int) -> np.ndarray:
    """Return measures of a copy so many times smaller, sigma in its pixels."""
    size = (measures.shape[2] // shrink, measures.shape[1] // shrink)
    small = [plane if shrink == 1 else cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in measures]
    return np.stack([*small[:2], small[2] / np.float32(shrink * step)])


@torch.inference_mode()
def _vote(shot: np.ndarray, other: np.ndarray, noise: float | np.float32) -> np.ndarray:
    height, width = shot.shape[1:]
    padding = ((0, 0), (0, -height % STRIDE), (0, -width % STRIDE))
    features = pair_features(np.pad(shot, padding, "edge"), np.pad(other, padding, "edge"), noise)
    return np.asarray(torch.tanh(_network()(torch.from_numpy(features)[None])[0, :height, :width] / 2))


@cache
def _network() -> VoteNetwork:
    return load_half(VoteNetwork(), WEIGHTS)
