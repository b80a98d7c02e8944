"""What networks are trained on, in memory: patches of one level each, or scenes of dense labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch

from defocus_core.networks.classifier import Classifier
from defocus_core.training import augmentation

NO_AUGMENTATION = augmentation.AugmentConfig()


@dataclass
class PatchDataset:
    """Patches in memory: `patches` (N, 32, 32) uint8, `level` (N,) int64, one device."""

    patches: torch.Tensor
    level: torch.Tensor

    @classmethod
    def of(cls, columns: dict[str, np.ndarray], device: torch.device) -> PatchDataset:
        """Move the columns of a patch file (`read_patches`) to a device."""
        level = torch.from_numpy(columns["level"]).to(device, torch.int64)
        return cls(torch.from_numpy(columns["patches"]).to(device), level)

    def __len__(self) -> int:
        return len(self.level)

    def batch(self, rows: torch.Tensor, ranges=NO_AUGMENTATION) -> tuple[torch.Tensor, torch.Tensor]:
        """Return rows as (n, 1, 32, 32) float32 in [0, 1] and their levels, (n,) int64."""
        return augmentation.augment(_to_unit_range(self.patches[rows]), ranges), self.level[rows]

    def digest(self) -> str:
        """Return what tells these patches from others; see `tensor_digest`."""
        return tensor_digest(self.patches, self.level)

    def answers(self, model: Classifier, images: torch.Tensor) -> torch.Tensor:
        """Return logits, (n, levels)."""
        return model(images)


@dataclass
class SceneDataset:
    """Scenes in memory: `images` (N, S, S) uint8, `level` (N, S / 4, S / 4) float16, one device.

    A level between two levels is a sigma between theirs.
    """

    images: torch.Tensor
    level: torch.Tensor

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

    def __len__(self) -> int:
        return len(self.level)

    def batch(self, rows: torch.Tensor, ranges=NO_AUGMENTATION) -> tuple[torch.Tensor, torch.Tensor]:
        """Return rows as (n, 1, S, S) float32 in [0, 1] and their levels, float32; all turned alike."""
        images, level = _to_unit_range(self.images[rows]), self.level[rows].float()
        if ranges.flips:
            turn, mirror = int(torch.randint(4, ())), bool(torch.rand(()) < 0.5)
            images, level = (_rotate(values, turn, mirror) for values in (images, level))
        return augmentation.augment(images, replace(ranges, flips=False)), level

    def digest(self) -> str:
        """Return what tells these scenes from others; see `tensor_digest`."""
        return tensor_digest(self.images, self.level)

    def answers(self, model: Classifier, images: torch.Tensor) -> torch.Tensor:
        """Return logits, (n, levels, S / 4, S / 4)."""
        return model.dense(images)


def tensor_digest(*tensors: torch.Tensor) -> str:
    """Return the SHA-256 of tensors, wherever they lie, in hexadecimal digits."""
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().numpy())
    return total.hexdigest()


def _to_unit_range(images: torch.Tensor) -> torch.Tensor:
    return images.unsqueeze(1).float() / 255


def _rotate(values: torch.Tensor, turn: int, mirror: bool) -> torch.Tensor:
    values = values.flip(-1) if mirror else values
    return torch.rot90(values, turn, (-2, -1)).contiguous()
