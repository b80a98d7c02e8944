"""How torchvision's networks are built."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def torchvision_builder(name: str) -> Callable[[int], nn.Module]:
    """Return the builder of a network of torchvision, imported only then: it costs 170 MB and a second."""

    def build(levels: int) -> nn.Module:
        from torchvision import models  # noqa: PLC0415

        return getattr(models, name)(num_classes=levels)

    return build
