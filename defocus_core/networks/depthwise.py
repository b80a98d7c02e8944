"""Train depthwise convolutions fast where their grid has but a few pixels.

A 32x32 patch has one pixel left after five strides of two. There torch's backward pass of a depthwise
convolution takes most of a training step on a processor, while all that is computed are a few products of
(N, C) slices. The layers here compute just these, in the channels-last layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import torch
from torch import nn

MAX_PIXELS = 4  # of the input; on larger grids torch's own convolution is as fast
Slices = tuple[slice, slice, slice]  # of (N, rows, columns, C)


@contextmanager
def fast_depthwise(network: nn.Module) -> Iterator[nn.Module]:
    """Compute a network's depthwise convolutions by slices inside the `with` block.

    Parameters and `state_dict` stay as they are, and results are those of torch but for rounding. What
    is not small, not on the processor or in half precision goes to torch's convolution.

    Parameters
    ----------
    network : any; its layers of class `nn.Conv2d` with one channel a group take part
    """
    layers = [layer for layer in network.modules() if type(layer) is nn.Conv2d and _is_depthwise(layer)]
    for layer in layers:
        layer.__class__ = SmallGridDepthwise
    try:
        yield network
    finally:
        for layer in layers:
            layer.__class__ = nn.Conv2d


def _is_depthwise(layer: nn.Conv2d) -> bool:
    return (
        layer.groups == layer.in_channels == layer.out_channels > 1
        and layer.bias is None
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )


class SmallGridDepthwise(nn.Conv2d):
    """A depthwise convolution that takes small grids slice by slice; see `fast_depthwise`."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H', W'), as `nn.Conv2d` does."""
        small = images.shape[2] * images.shape[3] <= MAX_PIXELS
        if not small or images.device.type != "cpu" or images.dtype != torch.float32:
            return super().forward(images)
        return _Slices.apply(images, self.weight, self.stride, self.padding)


class _Slices(torch.autograd.Function):
    """Each tap of the kernel multiplies the slice of the input that it meets."""

    @staticmethod
    def forward(
        ctx: Any, images: torch.Tensor, weight: torch.Tensor, stride: Sequence[int], padding: Sequence[int]
    ) -> torch.Tensor:
        images = _channels_last(images)
        ctx.save_for_backward(images, weight)
        ctx.size, ctx.taps = _taps(images.shape[1:3], weight.shape[2:], stride, padding)
        answers = images.new_zeros(len(images), *ctx.size, images.shape[3])
        for (row, column), out, into in ctx.taps:
            answers[out].addcmul_(images[into], weight[:, 0, row, column])
        return answers.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, slopes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        images, weight = ctx.saved_tensors
        slopes = _channels_last(slopes)
        of_images, of_weight = torch.zeros_like(images), torch.zeros_like(weight)
        for (row, column), out, into in ctx.taps:
            of_images[into].addcmul_(slopes[out], weight[:, 0, row, column])
            of_weight[:, 0, row, column] = (slopes[out] * images[into]).sum((0, 1, 2))
        return of_images.permute(0, 3, 1, 2), of_weight, None, None


def _channels_last(images: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) -> (N, H, W, C), contiguous; no copy where the memory lies so."""
    return images.permute(0, 2, 3, 1).contiguous()


def _taps(
    grid: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> tuple[tuple[int, int], list[tuple[tuple[int, int], Slices, Slices]]]:
    """Return the output's rows and columns, and for each tap that meets the grid its place and slices.

    The slices are of (N, rows, columns, C), first of the output, then of the input.
    """
    (height, rows), (width, columns) = map(_along, grid, kernel, stride, padding)
    found: list[tuple[tuple[int, int], Slices, Slices]] = [
        ((row, column), (slice(None), out_y, out_x), (slice(None), in_y, in_x))
        for (row, out_y, in_y), (column, out_x, in_x) in product(rows, columns)
    ]
    return (height, width), found


def _along(grid: int, kernel: int, stride: int, padding: int) -> tuple[int, list[tuple[int, slice, slice]]]:
    """Return the same along one axis: the output's size, and each tap with its two slices."""
    size = (grid + 2 * padding - kernel) // stride + 1
    found = []
    for tap in range(kernel):
        met = [i for i in range(size) if 0 <= i * stride + tap - padding < grid]
        if met:
            first, last = (i * stride + tap - padding for i in (met[0], met[-1]))
            found.append((tap, slice(met[0], met[-1] + 1), slice(first, last + 1, stride)))
    return size, found
