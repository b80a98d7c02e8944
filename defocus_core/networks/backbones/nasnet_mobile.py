"""NASNet-A Mobile, 4 @ 1056 (Zoph et al., CVPR 2018, figure 4 and appendix A.4), without its auxiliary head.

Two cells found by a search are stacked: normal ones, and reduction ones that halve the grid. A cell takes the
outputs of the two cells before it, `here` (the last) and `before`.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

CHANNELS = 1056  # before the classifier: six branches of four times the filters of the first normal cells
REPEATS = 4  # normal cells at each size
STEM = 32


class NASNetMobile(nn.Module):
    """The network for images of three channels of at least 32x32 pixels."""

    def __init__(self, levels: int):
        super().__init__()
        filters = CHANNELS // 24
        self.stem = nn.Sequential(nn.Conv2d(3, STEM, 3, 2, bias=False), _norm(STEM))
        cells: list[NormalCell | ReductionCell] = [ReductionCell(STEM, STEM, filters // 4, whole=True)]
        cells.append(ReductionCell(cells[-1].outputs, STEM, filters // 2, halve=True))
        for size in (1, 2, 4):
            if size > 1:
                cells.append(ReductionCell(cells[-1].outputs, cells[-2].outputs, size * filters))
            for index in range(REPEATS):
                sizes = cells[-1].outputs, cells[-2].outputs
                cells.append(NormalCell(*sizes, size * filters, halve=index == 0))
        self.cells = nn.ModuleList(cells)
        self.classifier = nn.Linear(CHANNELS, levels)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) -> (N, levels)."""
        here = before = self.stem(images)
        for cell in self.cells:
            here, before = cell(here, before), here
        return self.classifier(functional.relu(here).mean((2, 3)))


class NormalCell(nn.Module):
    """Five sums of two branches each, beside the output of the cell before the last.

    Parameters
    ----------
    here, before : channels of the outputs of the last cell and of that before it
    filters : channels of each branch; `outputs`, the channels of the cell, are six times as many
    halve : whether the grid of `before` is twice that of `here`
    """

    def __init__(self, here: int, before: int, filters: int, *, halve: bool = False):
        super().__init__()
        self.outputs = 6 * filters
        self.here = _pointwise(here, filters)
        self.before = Halved(before, filters) if halve else _pointwise(before, filters)
        self.here_5, self.before_3 = _separable(filters, filters, 5), _separable(filters, filters, 3)
        self.before_5, self.again_3 = _separable(filters, filters, 5), _separable(filters, filters, 3)
        self.here_3 = _separable(filters, filters, 3)

    def forward(self, here: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Two outputs of cells, (N, C, H, W) each -> (N, outputs, H, W)."""
        here, before = self.here(functional.relu(here)), self.before(functional.relu(before))
        positive_here, positive_before = functional.relu(here), functional.relu(before)
        branches = [
            before,
            self.here_5(positive_here) + self.before_3(positive_before),
            self.before_5(positive_before) + self.again_3(positive_before),
            _mean(here) + before,
            2 * _mean(before),  # the search found the same mean twice
            self.here_3(positive_here) + here,
        ]
        return torch.cat(branches, 1)


class ReductionCell(nn.Module):
    """Five sums of two branches each on half the grid, four of which are the output.

    Parameters
    ----------
    here, before : channels of the outputs of the last cell and of that before it
    filters : channels of each branch; `outputs`, the channels of the cell, are four times as many
    halve : whether the grid of `before` is twice that of `here`
    whole : take `before` as it is, in the first cell
    """

    def __init__(self, here: int, before: int, filters: int, *, halve: bool = False, whole: bool = False):
        super().__init__()
        self.outputs = 4 * filters
        self.here = _pointwise(here, filters)
        if whole:
            self.before: nn.Module = nn.Identity()
        else:
            self.before = Halved(before, filters) if halve else _pointwise(before, filters)
        given = before if whole else filters
        self.here_5, self.before_7 = _separable(filters, filters, 5, 2), _separable(given, filters, 7, 2)
        self.again_7, self.before_5 = _separable(given, filters, 7, 2), _separable(given, filters, 5, 2)
        self.first_3 = _separable(filters, filters, 3)

    def forward(self, here: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Two outputs of cells, (N, C, H, W) each -> (N, outputs, H / 2, W / 2), rounded up."""
        here = self.here(functional.relu(here))
        positive = functional.relu(self.before(functional.relu(before)))
        largest = functional.max_pool2d(here, 3, 2, 1)
        first = self.here_5(functional.relu(here)) + self.before_7(positive)
        second = largest + self.again_7(positive)
        third = _mean(here, 2) + self.before_5(positive)
        fourth = _mean(first) + second
        fifth = self.first_3(functional.relu(first)) + largest
        return torch.cat([second, third, fourth, fifth], 1)


class Halved(nn.Module):
    """Bring a positive grid to half its size without loss of place: every second pixel, from two starts."""

    def __init__(self, inputs: int, filters: int):
        super().__init__()
        self.even = nn.Conv2d(inputs, filters // 2, 1, bias=False)
        self.odd = nn.Conv2d(inputs, filters - filters // 2, 1, bias=False)
        self.norm = _norm(filters)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, filters, H / 2, W / 2), rounded up."""
        shifted = functional.pad(images, (-1, 1, -1, 1))
        halves = [self.even(images[:, :, ::2, ::2]), self.odd(shifted[:, :, ::2, ::2])]
        return self.norm(torch.cat(halves, 1))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=3e-4)


def _pointwise(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), _norm(outputs))


def _separable(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    """Two separable convolutions, the first with the stride; what goes in is positive already."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, size, stride, size // 2, groups=inputs, bias=False),
        *_pointwise(inputs, outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, size, 1, size // 2, groups=outputs, bias=False),
        *_pointwise(outputs, outputs),
    )


def _mean(images: torch.Tensor, stride: int = 1) -> torch.Tensor:
    """Return means of 3x3 pixels, of those that there are."""
    return functional.avg_pool2d(images, 3, stride, 1, count_include_pad=False)


build = NASNetMobile
