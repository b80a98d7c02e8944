"""Train convolutions fast where their grid has but a few pixels.

A 32x32 patch has one pixel left after five strides of two. What is computed there is a matrix product over pixels and
channels, or in a depthwise layer a few products of (N, C) slices: one on a single pixel, sixteen on 2x2. Torch's
convolutions, backward above all, take longer for it on a processor. The layers here compute just these products,
in the channels-last layout.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

MAX_POINTWISE_PIXELS, MAX_PIXELS = 16, 4  # of the input; beyond, torch's own convolution is as fast
SINGLE, MIXED = (torch.float32, torch.float64), (torch.float32, torch.float64, torch.bfloat16)
Pair = tuple[int, int]


@contextmanager
def fast_small_grids(network: nn.Module) -> Iterator[nn.Module]:
    """Compute a network's convolutions on few pixels as products inside the `with` block.

    Parameters and `state_dict` stay as they are, and results are those of torch but for rounding. What
    is not small, not on the processor, or depthwise and not in single precision goes to torch's convolution.

    Parameters
    ----------
    network : any; its layers of class `nn.Conv2d` of one group, or of one channel a group, take part
    """
    layers = {layer: _fast_class(layer) for layer in network.modules() if type(layer) is nn.Conv2d}
    for layer, fast in layers.items():
        layer.__class__ = fast
    try:
        yield network
    finally:
        for layer in layers:
            layer.__class__ = nn.Conv2d


class SmallGridPointwise(nn.Conv2d):
    """A convolution of 1x1 taps that is a matrix product on small grids; see `fast_small_grids`."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C', H, W), as `nn.Conv2d` does."""
        if not _is_small(images, MAX_POINTWISE_PIXELS, MIXED):
            return super().forward(images)
        pixels = images.permute(0, 2, 3, 1)
        return functional.linear(pixels, self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class SmallGridConv(nn.Conv2d):
    """A convolution that is one matrix product of all pixels on small grids; see `fast_small_grids`."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C', H', W'), as `nn.Conv2d` does."""
        if not _is_small(images, MAX_PIXELS, MIXED):
            return super().forward(images)
        taps, size = _taps_of(self, images)
        weights = functional.pad(self.weight.flatten(2), (0, 1))  # the last is for what meets no tap
        matrix = weights[:, :, taps].permute(3, 0, 2, 1)  # of output pixel and channel, input pixel and channel
        pixels = images.permute(0, 2, 3, 1).flatten(1)
        answers = functional.linear(pixels, matrix.reshape(math.prod(size) * self.out_channels, -1))
        return answers.view(len(images), *size, self.out_channels).permute(0, 3, 1, 2)


class SmallGridDepthwise(nn.Conv2d):
    """A depthwise convolution that multiplies the pixels of small grids; see `fast_small_grids`."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H', W'), as `nn.Conv2d` does."""
        if not _is_small(images, MAX_PIXELS, SINGLE):
            return super().forward(images)
        return _ChannelMatrix.apply(images, self.weight, *_taps_of(self, images))


def _fast_class(layer: nn.Conv2d) -> type[nn.Conv2d]:
    """Return the class that computes a layer on small grids, `nn.Conv2d` itself where there is none."""
    if layer.kernel_size == layer.stride == (1, 1) and layer.padding == (0, 0) and layer.groups == 1:
        return SmallGridPointwise
    plain = (
        layer.bias is None
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )
    if plain and layer.groups == 1:
        return SmallGridConv
    depthwise = plain and layer.groups == layer.in_channels == layer.out_channels
    return SmallGridDepthwise if depthwise else nn.Conv2d


def _is_small(images: torch.Tensor, max_pixels: int, precisions: tuple[torch.dtype, ...]) -> bool:
    small = images.shape[2] * images.shape[3] <= max_pixels
    return small and images.device.type == "cpu" and images.dtype in precisions


class _ChannelMatrix(torch.autograd.Function):
    """Multiply the pixels of each channel by a small matrix, made up of the taps of its kernel."""

    @staticmethod
    def forward(ctx: Any, images: torch.Tensor, weight: torch.Tensor, taps: torch.Tensor, size: Pair) -> torch.Tensor:
        channels = len(weight)
        weights = functional.pad(weight.reshape(channels, -1), (0, 1)).t()  # the last is for what meets no tap
        matrix = weights.contiguous()[taps]
        pixels = images.permute(0, 2, 3, 1).reshape(len(images), -1, channels)  # no copy if channels are last
        ctx.save_for_backward(pixels, matrix, weight)
        ctx.taps, ctx.grid = taps, images.shape[2:]
        answers = _multiply(pixels, matrix)
        return answers.view(len(images), *size, channels).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, slopes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        pixels, matrix, weight = ctx.saved_tensors
        count, _, channels = pixels.shape
        slopes = slopes.permute(0, 2, 3, 1).reshape(count, -1, channels)
        of_images = _multiply(slopes, matrix.transpose(0, 1))
        of_matrix = torch.stack([(slopes * pixels[:, i : i + 1]).sum(0) for i in range(pixels.shape[1])])
        of_weights = weight.new_zeros(weight[0].numel() + 1, channels)
        of_weights.index_add_(0, ctx.taps.flatten(), of_matrix.flatten(0, 1))
        of_images = of_images.view(count, *ctx.grid, channels).permute(0, 3, 1, 2)
        return of_images, of_weights[:-1].t().reshape(weight.shape), None, None


def _multiply(pixels: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """(N, P, C) and (P, Q, C) -> (N, Q, C), summed over P."""
    total = pixels[:, :1] * matrix[0]
    for index in range(1, len(matrix)):
        total.addcmul_(pixels[:, index : index + 1], matrix[index])
    return total


def _taps_of(layer: nn.Conv2d, images: torch.Tensor) -> tuple[torch.Tensor, Pair]:
    grid, padding = cast("Pair", tuple(images.shape[2:])), cast("Pair", layer.padding)
    return _taps(grid, cast("Pair", layer.kernel_size), cast("Pair", layer.stride), padding)


@functools.cache
def _taps(grid: Pair, kernel: Pair, stride: Pair, padding: Pair) -> tuple[torch.Tensor, Pair]:
    """Return which tap of the kernel takes a pixel of the input to one of the output, and the output's grid.

    Returns
    -------
    (P, Q) int64 of P pixels of the input and Q of the output; the number of taps where none does
    """
    with torch.inference_mode(False):  # the cache outlives a caller's
        return _compute_taps(grid, kernel, stride, padding)


def _compute_taps(grid: Pair, kernel: Pair, stride: Pair, padding: Pair) -> tuple[torch.Tensor, Pair]:
    size = tuple((g + 2 * p - k) // s + 1 for g, k, s, p in zip(grid, kernel, stride, padding, strict=True))
    row, column = (
        torch.arange(g)[:, None] - s * torch.arange(n) + p
        for g, n, s, p in zip(grid, size, stride, padding, strict=True)
    )
    row, column = row[:, None, :, None], column[None, :, None, :]
    met = (row >= 0) & (row < kernel[0]) & (column >= 0) & (column < kernel[1])
    taps = torch.where(met, row * kernel[1] + column, kernel[0] * kernel[1])
    return taps.reshape(math.prod(grid), math.prod(size)), cast("Pair", size)
