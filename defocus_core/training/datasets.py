"""Training data in memory: patches of one level each, or scenes with dense labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from defocus_core.networks.classifier import Classifier, tensor_digest
from defocus_core.training.augmentation import augment_batch
from defocus_core.training.config import AugmentConfig

NO_AUGMENTATION = AugmentConfig()


@dataclass
class _Dataset:
    """Images in memory, (N, S, S) uint8, and their levels, on one device."""

    images: torch.Tensor
    level: torch.Tensor

    def __len__(self) -> int:
        return len(self.level)

    def sample(self, count: int | None) -> Self:
        """Draw at most `count` members, the same ones each time, in their order; None returns all."""
        if count is None or count >= len(self):
            return self
        drawn = torch.randperm(len(self), generator=torch.Generator().manual_seed(0))[:count]
        rows = drawn.sort().values.to(self.level.device)
        return type(self)(self.images[rows], self.level[rows])

    def digest(self) -> str:
        """Return a digest of the members; see `tensor_digest`."""
        return tensor_digest(self.images, self.level)


class PatchDataset(_Dataset):
    """Patches in memory: `images` (N, 32, 32) uint8, `level` (N,) int64, one device."""

    @classmethod
    def of(cls, columns: dict[str, np.ndarray], device: torch.device) -> PatchDataset:
        """Move the columns of a patch file (`read_patches`) to a device."""
        level = torch.from_numpy(columns["level"]).to(device, torch.int64)
        return cls(torch.from_numpy(columns["patches"]).to(device), level)

    def batch(
        self,
        rows: torch.Tensor,
        augment: AugmentConfig = NO_AUGMENTATION,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return rows as (n, 1, 32, 32) float32 in [0, 1] and their levels, (n,) int64."""
        images = _to_unit_range(self.images[rows])
        return augment_batch(images, augment, generator), self.level[rows]

    def logits(self, model: Classifier, images: torch.Tensor) -> torch.Tensor:
        """Return logits, (n, levels)."""
        return model(images)


class SceneDataset(_Dataset):
    """Scenes in memory: `images` (N, S, S) uint8, `level` (N, S / 4, S / 4) float16, one device.

    A level between two levels is a sigma between theirs.
    """

    @classmethod
    def of(cls, columns: dict[str, np.ndarray], sigmas: np.ndarray, device: torch.device) -> SceneDataset:
        """Move scenes (`read_scenes`) to a device, sigma as a level.

        Raises
        ------
        ValueError
            If the least sigma is 0: between two levels the logarithm counts.
        """
        if not sigmas[0] > 0:
            raise ValueError(f"scenes need levels of sigma above 0, the least is {sigmas[0]:g} pixels")
        known = np.log(np.maximum(columns["sigma"].astype(np.float32), sigmas[0]))
        level = np.interp(known, np.log(sigmas), np.arange(len(sigmas))).astype(np.float16)
        return cls(torch.from_numpy(columns["images"]).to(device), torch.from_numpy(level).to(device))

    def batch(
        self,
        rows: torch.Tensor,
        augment: AugmentConfig = NO_AUGMENTATION,
        generator: torch.Generator | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return rows as (n, 1, S, S) float32 in [0, 1] and their levels, float32; all turned alike."""
        images, level = _to_unit_range(self.images[rows]), self.level[rows].float()
        if augment.flips:
            turn, mirror = _random_turn(generator)
            images, level = (_rotate(values, turn, mirror) for values in (images, level))
        return augment_batch(images, augment.model_copy(update={"flips": False}), generator), level

    def logits(self, model: Classifier, images: torch.Tensor) -> torch.Tensor:
        """Return logits, (n, levels, S / 4, S / 4)."""
        return model.dense(images)


def _to_unit_range(images: torch.Tensor) -> torch.Tensor:
    return images.unsqueeze(1).float() / 255


def _random_turn(generator: torch.Generator | None) -> tuple[int, bool]:
    device = generator.device if generator else None
    turn = torch.randint(4, (), generator=generator, device=device)
    return int(turn), bool(torch.rand((), generator=generator, device=device) < 0.5)


def _rotate(values: torch.Tensor, turn: int, mirror: bool) -> torch.Tensor:
    values = values.flip(-1) if mirror else values
    return torch.rot90(values, turn, (-2, -1)).contiguous()
