"""SceneNet: dense, of pixels, with a wide view."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class SceneNet(nn.Module):
    """This project's dense network: it sees about 150 pixels to each side of a pixel and says its blur level.

    Three strides of two, dilated residual convolutions with the mean of the whole image as context, and
    one step back up to a label at every fourth pixel. It is padded, so its answers are of pixels.
    """

    cell = 4
    feature_strides = (4, 8)
    reach = 192  # beyond, only the mean of the whole image counts
    answer_reach = 64

    def __init__(self, levels: int, width: int = 96):
        super().__init__()
        self.trunk = nn.Sequential(  # the first three layers have the shapes of BlurNet's
            *_unit(1, 24, 6, stride=2, padding=2),
            *_unit(24, 48, 3),
            *_unit(48, 64, 4, stride=2, padding=1),
            *_unit(64, 64, 3),
        )
        self.coarse = nn.Sequential(_unit(64, width, 3, stride=2))
        self.context = nn.ModuleList(_unit(width, width, 3, dilation=d) for d in (1, 2, 4, 8, 1))
        self.whole = nn.Conv2d(width, width, 1)
        self.join = nn.Sequential(_unit(width + 64, 64, 1), _unit(64, 64, 3), nn.Conv2d(64, levels, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, 1, H, W) grey in [0, 1], H and W multiples of 8 -> (N, levels, H / 4, W / 4)."""
        features = self.features(images)
        return self.answer(features, self.summary(features))

    def features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (N, 64, H / 4, W / 4) and (N, width, H / 8, W / 8), each seeing `reach` pixels around."""
        fine = self.trunk((images - 0.5) / 0.25)
        coarse = self.coarse(fine)
        for unit in self.context:
            coarse = coarse + unit(coarse)
        return fine, coarse

    def summary(self, features: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return the mean of all coarse features, (N, width, 1, 1)."""
        return features[-1].mean((2, 3), keepdim=True)

    def answer(self, features: tuple[torch.Tensor, ...], summary: torch.Tensor) -> torch.Tensor:
        """Features and their `summary` -> (N, levels, H / 4, W / 4)."""
        fine, coarse = features
        coarse = coarse + self.whole(summary)
        coarse = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        return self.join(torch.cat([fine, coarse], 1))


def _unit(
    inputs: int, outputs: int, size: int, *, stride: int = 1, padding: int | None = None, dilation: int = 1
) -> nn.Sequential:
    padding = dilation * (size // 2) if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


build = SceneNet
