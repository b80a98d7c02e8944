"""Vary patches on the device that trains: orientation, tone, sensor noise, JPEG.

Everything here keeps the blur level of a patch what it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class AugmentConfig:
    """How far each augmentation goes; 0 (False) leaves it out.

    Parameters
    ----------
    flips : mirror and turn by quarters
    gamma : exponents from 1 / (1 + gamma) to 1 + gamma
    contrast : gains from 1 - contrast to 1 + contrast about the patch mean
    noise : largest standard deviation of additive Gaussian noise, grey levels of 0..255
    jpeg : share of patches that go through JPEG quantisation at a quality of 40..95
    """

    flips: bool = False
    gamma: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0


def augment(batch: torch.Tensor, ranges: AugmentConfig) -> torch.Tensor:
    """Return a varied copy of a batch.

    Parameters
    ----------
    batch : (N, 1, H, W) float32 in [0, 1], H and W multiples of 8 (equal, for flips)
    ranges : see `AugmentConfig`; random numbers come from torch's global generators

    Returns
    -------
    (N, 1, H, W) float32 in [0, 1]
    """
    if ranges.flips:
        batch = _random_orientation(batch)
    if ranges.gamma:
        exponent = torch.exp(math.log1p(ranges.gamma) * (2 * _rand_per_patch(batch) - 1))
        batch = batch.clamp(1e-4, 1) ** exponent
    if ranges.contrast:
        gain = 1 + ranges.contrast * (2 * _rand_per_patch(batch) - 1)
        mean = batch.mean((2, 3), keepdim=True)
        batch = (mean + gain * (batch - mean)).clamp(0, 1)
    if ranges.noise:
        deviation = ranges.noise / 255 * _rand_per_patch(batch) ** 2
        batch = (batch + deviation * torch.randn_like(batch)).clamp(0, 1)
    if ranges.jpeg:
        chosen = _rand_per_patch(batch) < ranges.jpeg
        batch = torch.where(chosen, jpeg_quantise(batch, 40 + 55 * _rand_per_patch(batch)), batch)
    return batch


def jpeg_quantise(batch: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """Quantise 8x8 blocks as a JPEG encoder does to luminance (ITU-T T.81, annex K).

    Parameters
    ----------
    batch : (N, 1, H, W) float32 in [0, 1], H and W multiples of 8
    quality : (N, 1, 1, 1) in 1..100, as libjpeg counts

    Returns
    -------
    (N, 1, H, W) float32 in [0, 1]
    """
    count, _, height, width = batch.shape
    cosines = _dct_matrix().to(batch)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality) / 100
    table = (LUMINANCE_TABLE.to(batch) * scale).round().clamp(1, 255).view(count, 1, 1, 8, 8)
    blocks = batch.view(count, height // 8, 8, width // 8, 8).transpose(2, 3) * 255 - 128
    spectrum = (cosines @ blocks @ cosines.T / table).round() * table
    blocks = (cosines.T @ spectrum @ cosines + 128) / 255
    return blocks.transpose(2, 3).reshape(count, 1, height, width).clamp(0, 1)


LUMINANCE_TABLE = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def _dct_matrix() -> torch.Tensor:
    k, n = torch.arange(8).view(8, 1), torch.arange(8).view(1, 8)
    matrix = torch.cos(math.pi / 8 * (n + 0.5) * k) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


def _rand_per_patch(batch: torch.Tensor) -> torch.Tensor:
    return torch.rand(len(batch), 1, 1, 1, device=batch.device)


def _random_orientation(batch: torch.Tensor) -> torch.Tensor:
    mirror, turn, over = (_rand_per_patch(batch) < 0.5 for _ in range(3))
    batch = torch.where(mirror, batch.flip(3), batch)
    batch = torch.where(over, batch.flip(2), batch)
    return torch.where(turn, batch.transpose(2, 3), batch)
