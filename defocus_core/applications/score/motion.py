"""Directional blur, as of motion: a small network tells how much more one direction is blurred than the other."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from defocus_core.maps.detail import noise_variance
from defocus_core.networks.small_weights import load_half

WEIGHTS = Path(__file__).parent / "weights" / "motion.safetensors"
WIDTHS = (16, 32, 48)  # channels at a half, a quarter and an eighth of the size
SOFTENING = 0.2  # pixels that are added to a sigma before its logarithm is taken
LEAST_WEIGHT = 1e-15  # of what does not count
MIN_SIDE = 128  # pixels, of the images that the network was trained on
MIN_CONTRAST = 1e-3  # standard deviation of grey levels of 0..1, below which an image shows nothing
MIN_STANDARD_DEVIATION = 4e-3  # of grey levels, that standardised ones are divided by
LAG_FRACTION = 0.25  # of the shorter side, along stripes: farther than motion reaches
MIN_VARIATION = 0.1  # over that distance, as a share of the variation of what is random
MIN_ANISOTROPY = 0.25  # from which blur is directional: then one sigma is a third larger than the other
MAX_TURN = 8.0  # degrees between the direction of an image and that of a quarter of it that agrees
MIN_AGREEING = 0.5  # share of the quarters that agree, where blur is directional
MIN_COUNTED = 0.05  # share of a quarter that counts, for it to be asked


@dataclass(frozen=True)
class Motion:
    """Blur that one direction has beyond the other.

    Parameters
    ----------
    sigma : standard deviation along that direction, pixels; 0 where blur is round or nothing tells its direction
    angle : of the direction, degrees counter-clockwise from the rows, in [0, 180); NaN where sigma is 0
    """

    sigma: float
    angle: float


ROUND = Motion(0.0, float("nan"))


class MotionNetwork(nn.Module):
    """Convolutions to an eighth of the size, and the mean of their answers, each by a weight of its own.

    Notes
    -----
    `forward` takes (N, 1, H, W) `standardise` and (N, 1, H, W) what of it counts, and gives (N, 4): the logarithms of
    sigma + .2 pixels along the direction of most blur and across it, and the anisotropy, 0 to 1, times cosine and sine
    of twice the angle of that direction, clockwise from the rows.
    """

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth = WIDTHS
        self.body = nn.Sequential(
            *_convolve(1, half, size=5, stride=2),
            *_convolve(half, half),
            *_convolve(half, quarter, stride=2),
            *_convolve(quarter, quarter),
            *_convolve(quarter, eighth, stride=2),
            *_convolve(eighth, eighth),
            *_convolve(eighth, eighth, dilation=2),
        )
        self.answer = nn.Conv2d(eighth, 5, 1)

    def forward(self, grey: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
        """Return the blur of images."""
        answers = self.answer(self.body(grey))
        counted = functional.interpolate(counted, size=answers.shape[2:], mode="area")
        weight = torch.softmax((answers[:, :1] + torch.log(counted + LEAST_WEIGHT)).flatten(2), 2)
        return (answers[:, 1:].flatten(2) * weight).sum(2)


def _convolve(before: int, after: int, *, size: int = 3, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    padding = dilation * (size // 2)
    convolution = nn.Conv2d(before, after, size, stride, padding, dilation, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def standardise(grey: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """Return grey levels of mean 0 and standard deviation 1, or less where they hardly vary; (H, W) float32.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    where : (H, W) bool, whose mean and deviation these are; None is everywhere
    """
    levels = grey if where is None else grey[where]
    return ((grey - levels.mean()) / max(float(levels.std()), MIN_STANDARD_DEVIATION)).astype(np.float32)


def directional_blur(grey: np.ndarray, counted: np.ndarray) -> Motion:
    """Measure the blur that one direction has beyond the other.

    Nothing is told of an image smaller than those the network was trained on, nor of stripes, which look the same
    however far they move along themselves, nor where more than half of the quarters have another direction or none:
    motion blurs all of them alike, hair and grass do not.

    Parameters
    ----------
    grey : (H, W) float32 in [0, 1]
    counted : (H, W) bool, what of it counts; the network sees 38 pixels around that
    """
    found = _directional_blur(grey, counted)
    return found if found.sigma and _is_everywhere(grey, counted, found.angle) else ROUND


def _directional_blur(grey: np.ndarray, counted: np.ndarray) -> Motion:
    if min(grey.shape) < MIN_SIDE or not counted.any() or grey[counted].std() < MIN_CONTRAST:
        return ROUND
    along, across, cosine, sine = _answer(standardise(grey, counted), counted)
    sigma = float(np.exp(along)) - SOFTENING
    if np.hypot(cosine, sine) < MIN_ANISOTROPY or along <= across or sigma <= 0 or _is_striped(grey, counted):
        return ROUND
    return Motion(sigma, float(np.degrees(-np.arctan2(sine, cosine) / 2) % 180))  # rows of an image count downward


def _is_everywhere(grey: np.ndarray, counted: np.ndarray, angle: float) -> bool:
    """Tell whether half of the quarters of an image are blurred in its direction; too small ones do not deny it."""
    height, width = (side // 2 for side in grey.shape)
    if min(height, width) < MIN_SIDE:
        return True
    quarters = itertools.product((slice(None, height), slice(-height, None)), (slice(None, width), slice(-width, None)))
    told = [place for place in quarters if counted[place].mean() > MIN_COUNTED]
    turns = [abs((_directional_blur(grey[place], counted[place]).angle - angle + 90) % 180 - 90) for place in told]
    return not turns or float(np.mean(np.array(turns) <= MAX_TURN)) >= MIN_AGREEING  # a round one turns by NaN


def _is_striped(grey: np.ndarray, counted: np.ndarray) -> bool:
    """Tell whether an image hardly changes along the direction of least change, farther than motion reaches."""
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order)[counted] for order in ((1, 0), (0, 1)))
    (least, _) = np.linalg.eigh(np.cov([across, down], bias=True))[1].T
    shift = np.column_stack([np.eye(2), LAG_FRACTION * min(grey.shape) * least])
    values = np.stack([grey, counted.astype(np.float32)], 2)
    moved, kept = cv2.split(cv2.warpAffine(values, shift, grey.shape[::-1]))
    both = (kept > 0.99) & counted
    if not both.any():
        return False
    noise = 2 * noise_variance(grey)
    random = 2 * float(grey[counted].var()) - noise
    return float(np.square(moved - grey)[both].mean()) - noise < MIN_VARIATION * random


@torch.inference_mode()
def _answer(standardised: np.ndarray, counted: np.ndarray) -> np.ndarray:
    images, weight = (torch.from_numpy(values)[None, None] for values in (standardised, counted.astype(np.float32)))
    return np.asarray(_network()(images.contiguous(memory_format=torch.channels_last), weight)[0])


@cache
def _network() -> MotionNetwork:
    return load_half(MotionNetwork(), WEIGHTS)
