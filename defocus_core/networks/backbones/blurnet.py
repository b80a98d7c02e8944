"""BlurNet: small, of windows, with all overlaps between windows computed once."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional


class BlurNet(nn.Module):
    """This project's own network: unpadded convolutions that shrink a 32x32 window to one answer.

    With no padding, every output depends on its own window alone, so that running the network over
    a whole image gives the patches' answers at every fourth pixel, with all overlaps computed once.
    """

    stride = 4

    def __init__(self, levels: int, channels: tuple[int, ...] = (24, 48, 64, 96, 128)):
        super().__init__()
        layers, inputs = [], 1
        for outputs, size, stride in zip(channels, (6, 3, 4, 3, 3), (2, 1, 2, 1, 1), strict=True):
            layers += [
                nn.Conv2d(inputs, outputs, size, stride, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
        layers += [nn.Conv2d(inputs, inputs, 1), nn.ReLU(inplace=True), nn.Conv2d(inputs, levels, 1)]
        self.trunk = nn.Sequential(*layers[:12])
        self.last = cast("nn.Conv2d", layers[12])
        self.head = nn.Sequential(*layers[13:])

    def forward(self, images: torch.Tensor, step: int = stride) -> torch.Tensor:
        """(N, 1, H, W) -> (N, levels, (H - 32) // step + 1, (W - 32) // step + 1)."""
        features = self.trunk(images)
        return self.head(functional.conv2d(features, self.last.weight, stride=step // self.stride))


build = BlurNet
