"""Blur classifiers: a network, its grey-level scaling and the sigma of each level."""

from __future__ import annotations

import copy
import hashlib
import itertools
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from defocus_core.networks.dense_network import DenseNetwork
from defocus_core.networks.registry import build_backbone

Pair = tuple[int, int]


class Classifier(nn.Module):
    """A backbone with its grey-level scaling and the meaning of its levels.

    Parameters
    ----------
    name : one of `backbone_names`
    sigmas : (levels,) true standard deviation of each level, in pixels

    Notes
    -----
    `forward` takes (N, 1, 32, 32) float32 in [0, 1] and gives (N, levels) logits. Where the
    network is fully convolutional, `dense` takes (N, 1, H, W): of windows (`stride` is not None)
    with a step, a multiple of the stride, it gives (N, levels, (H - 32) // step + 1,
    (W - 32) // step + 1); of pixels (`cell` is not None), with H and W multiples of 8, it gives
    (N, levels, H / cell, W / cell).
    """

    network: nn.Module
    sigmas: torch.Tensor

    def __init__(self, name: str, sigmas: Sequence[float] | np.ndarray | torch.Tensor):
        super().__init__()
        self.name, self.folded = name, False
        self.network = _adapt_to_grey(build_backbone(name, len(sigmas)))
        self.register_buffer("sigmas", torch.as_tensor(sigmas, dtype=torch.float32))

    @property
    def stride(self) -> int | None:
        """Least step of windows in `dense`, in pixels; None where the network has no such form."""
        return getattr(self.network, "stride", None)

    @property
    def cell(self) -> int | None:
        """Pixels to one answer of a network that answers for pixels, not windows; else None."""
        return getattr(self.network, "cell", None)

    @property
    def dense_network(self) -> DenseNetwork:
        """The network, one that answers for pixels (`cell` is not None), by what it offers as such."""
        return cast("DenseNetwork", self.network)

    def describe(self) -> str:
        """Return one line: what the model answers, and its size."""
        low, high = float(self.sigmas[0]), float(self.sigmas[-1])
        size = sum(p.numel() for p in self.parameters()) / 1e6
        where = "windows of 32x32" if self.cell is None else f"cells of {self.cell}x{self.cell}"
        return f"{len(self.sigmas)} levels of sigma {low:g} to {high:g} pixels, {where}, {size:.2f} M parameters"

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """(N, 1, 32, 32) in [0, 1] -> (N, levels) logits."""
        answers = self.network(self._normalised(patches))
        return answers.flatten(2).mean(2) if answers.ndim == 4 else answers

    def dense(self, images: torch.Tensor, **step: int) -> torch.Tensor:
        """(N, 1, H, W) in [0, 1] -> (N, levels, rows, columns) logits of every window or cell."""
        return self.network(self._normalised(images), **step)

    def _normalised(self, images: torch.Tensor) -> torch.Tensor:
        """Bring grey levels in [0, 1] to what a network of patches takes; a dense one takes them as they are."""
        return (images - 0.5) / 0.25 if self.cell is None else images


def build_classifier(name: str, sigmas: Sequence[float] | np.ndarray | torch.Tensor, *, seed: int = 0) -> Classifier:
    """Build an untrained classifier; leave torch's global random state unchanged.

    Raises
    ------
    ValueError
        If there is no backbone of that name.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Classifier(name, sigmas)


def copy_matching_weights(model: Classifier, other: Classifier) -> list[str]:
    """Copy every parameter that both networks have by name and shape; return the names."""
    mine, theirs = model.network.state_dict(), other.network.state_dict()
    shared = [key for key in mine if key in theirs and mine[key].shape == theirs[key].shape]
    model.network.load_state_dict({**mine, **{key: theirs[key] for key in shared}})
    return shared


def fold_batch_norms(model: Classifier) -> Classifier:
    """Return a faster copy for inference, equal up to rounding; do not train or save it.

    Batch norms are folded into the convolutions before them and tensors laid out channels last.

    Parameters
    ----------
    model : classifier in eval mode
    """
    model = copy.deepcopy(model)
    for part in list(model.modules()):
        children = list(part.named_children()) if isinstance(part, nn.Sequential) else []
        for (name, layer), (after, norm) in itertools.pairwise(children):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(part, name, fuse_conv_bn_eval(layer, norm))
                setattr(part, after, nn.Identity())
    model.folded = True
    return model.requires_grad_(False).to(memory_format=torch.channels_last)


def tensor_digest(*tensors: torch.Tensor) -> str:
    """Return the SHA-256 of tensors, wherever they lie, in hexadecimal digits."""
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().numpy().data)
    return total.hexdigest()


def restore_weights(model: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Load tensors into a network that has exactly these, as it holds them now.

    A plain mapping has lost the versions that some networks of torchvision ask for; the network's own
    `state_dict` has them.

    Raises
    ------
    RuntimeError
        If names or shapes differ.
    """
    state = model.state_dict()
    if differing := set(state) ^ set(tensors):
        raise RuntimeError(f"{len(differing)} tensors too many or missing, such as {min(differing)}")
    state.update(tensors)
    model.load_state_dict(state)


def _adapt_to_grey(network: nn.Module) -> nn.Module:
    """Make a colour network take one grey channel, with batch statistics that settle in one epoch."""
    for parent in network.modules():
        for key, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and child.in_channels == 3:
                setattr(parent, key, _grey_convolution(child))
            if isinstance(child, nn.BatchNorm2d):
                child.momentum = 0.1  # MNASNet and NASNet-Mobile have 0.0003: made for hundreds of epochs of ImageNet
    return network


def _grey_convolution(colour: nn.Conv2d) -> nn.Conv2d:
    return nn.Conv2d(
        1,
        colour.out_channels,
        cast("Pair", colour.kernel_size),
        cast("Pair", colour.stride),
        cast("Pair | str", colour.padding),
        bias=colour.bias is not None,
    )
