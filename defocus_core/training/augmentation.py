"""Vary patches on the device that trains: orientation, tone, sensor noise, JPEG.

Everything here keeps the blur level of a patch what it is.
"""

from __future__ import annotations

import math

import torch

from defocus_core.training.config import AugmentConfig


def augment_batch(batch: torch.Tensor, config: AugmentConfig, generator: torch.Generator | None = None) -> torch.Tensor:
    """Return a varied copy of a batch.

    Parameters
    ----------
    batch : (N, 1, H, W) float32 in [0, 1], H and W multiples of 8 (equal, for flips)
    config : how far each augmentation goes
    generator : of the random numbers, on the device of the batch; None takes torch's global one

    Returns
    -------
    (N, 1, H, W) float32 in [0, 1]
    """

    def uniform() -> torch.Tensor:
        return torch.rand(len(batch), 1, 1, 1, device=batch.device, generator=generator)

    if config.flips:
        mirror, turn, over = (uniform() < 0.5 for _ in range(3))
        batch = torch.where(mirror, batch.flip(3), batch)
        batch = torch.where(over, batch.flip(2), batch)
        batch = torch.where(turn, batch.transpose(2, 3), batch)
    if config.gamma:
        exponent = torch.exp(math.log1p(config.gamma) * (2 * uniform() - 1))
        batch = batch.clamp(1e-4, 1) ** exponent
    if config.contrast:
        gain = 1 + config.contrast * (2 * uniform() - 1)
        mean = batch.mean((2, 3), keepdim=True)
        batch = (mean + gain * (batch - mean)).clamp(0, 1)
    if config.noise:
        deviation = config.noise / 255 * uniform() ** 2
        noise = torch.randn(batch.shape, device=batch.device, generator=generator)
        batch = (batch + deviation * noise).clamp(0, 1)
    if config.jpeg_fraction:
        chosen = uniform() < config.jpeg_fraction
        batch = torch.where(chosen, jpeg_quantise(batch, 40 + 55 * uniform()), batch)
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
