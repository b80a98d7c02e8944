"""The networks by name: 32x32 grey patch -> one logit a blur level."""

from __future__ import annotations

import copy
import difflib
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from . import DEFAULT_MODEL, atomic

WEIGHTS = Path(__file__).parent / "weights"


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
        self.last = layers[12]
        self.head = nn.Sequential(*layers[13:])

    def forward(self, images: torch.Tensor, step: int = stride) -> torch.Tensor:
        """(N, 1, H, W) -> (N, levels, (H - 32) // step + 1, (W - 32) // step + 1)."""
        features = self.trunk(images)
        return self.head(functional.conv2d(features, self.last.weight, stride=step // self.stride))


class SceneNet(nn.Module):
    """This project's dense network: it sees about 150 pixels to each side of a pixel and says its blur level.

    Three strides of two, dilated residual convolutions with the mean of the whole image as context, and
    one step back up to a label at every fourth pixel. It is padded, so its answers are of pixels.
    """

    cell = 4
    reach = 192  # pixels to each side; beyond, only the mean of the whole image counts

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
        """(N, 1, H, W), H and W multiples of 8 -> (N, levels, H / 4, W / 4)."""
        fine, coarse = self.features(images)
        return self.answer(fine, coarse, coarse.mean((2, 3), keepdim=True))

    def features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (N, 64, H / 4, W / 4) and (N, width, H / 8, W / 8), each seeing ``reach`` pixels around."""
        fine = self.trunk(images)
        coarse = self.coarse(fine)
        for unit in self.context:
            coarse = coarse + unit(coarse)
        return fine, coarse

    def answer(self, fine: torch.Tensor, coarse: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
        """Features and the mean of all coarse ones, (N, width, 1, 1) -> (N, levels, H / 4, W / 4)."""
        coarse = coarse + self.whole(whole)
        coarse = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        return self.join(torch.cat([fine, coarse], 1))


def _unit(
    inputs: int, outputs: int, size: int, *, stride: int = 1, padding: int | None = None, dilation: int = 1
):
    padding = dilation * (size // 2) if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _torchvision(name: str) -> Callable[[int], nn.Module]:
    """Return the builder of a network of torchvision, imported only then: it costs 170 MB and a second."""

    def build(levels: int) -> nn.Module:
        from torchvision import models  # noqa: PLC0415

        return getattr(models, name)(num_classes=levels)

    return build


REGISTRY: dict[str, Callable[[int], nn.Module]] = {
    "blurnet": BlurNet,
    "scenenet": SceneNet,
    "mobilenet_v2": _torchvision("mobilenet_v2"),
    "mobilenet_v3_small": _torchvision("mobilenet_v3_small"),
    "efficientnet_b0": _torchvision("efficientnet_b0"),
    "densenet121": _torchvision("densenet121"),
    "shufflenet_v2": _torchvision("shufflenet_v2_x1_0"),
    "mnasnet": _torchvision("mnasnet1_0"),
    "regnet_y_400mf": _torchvision("regnet_y_400mf"),
    "resnet18": _torchvision("resnet18"),
    "squeezenet": _torchvision("squeezenet1_1"),
}


class Classifier(nn.Module):
    """A backbone with its grey-level scaling and the meaning of its levels.

    Parameters
    ----------
    name : a key of :data:`REGISTRY`
    sigmas : (levels,) true standard deviation of each level, in pixels

    Notes
    -----
    ``forward`` takes (N, 1, 32, 32) float32 in [0, 1] and gives (N, levels) logits. Where the
    network is fully convolutional, ``dense`` takes (N, 1, H, W): of windows (``stride`` is not None)
    with a step, a multiple of the stride, it gives (N, levels, (H - 32) // step + 1,
    (W - 32) // step + 1); of pixels (``cell`` is not None), with H and W multiples of 8, it gives
    (N, levels, H / cell, W / cell).
    """

    def __init__(self, name: str, sigmas):
        super().__init__()
        self.name, self.folded = _known(name), False
        self.network = _one_channel(REGISTRY[name](len(sigmas)))
        self.register_buffer("sigmas", torch.as_tensor(sigmas, dtype=torch.float32))

    @property
    def stride(self) -> int | None:
        """Least step of windows in ``dense``, in pixels; None where the network has no such form."""
        return getattr(self.network, "stride", None)

    @property
    def cell(self) -> int | None:
        """Pixels to one answer of a network that answers for pixels, not windows; else None."""
        return getattr(self.network, "cell", None)

    def describe(self) -> str:
        """Return one line: what the model answers, and its size."""
        low, high = float(self.sigmas[0]), float(self.sigmas[-1])
        size = sum(p.numel() for p in self.parameters()) / 1e6
        where = "windows of 32x32" if self.cell is None else f"cells of {self.cell}x{self.cell}"
        return (
            f"{len(self.sigmas)} levels of sigma {low:g} to {high:g} pixels, {where}, {size:.2f} M parameters"
        )

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """(N, 1, 32, 32) in [0, 1] -> (N, levels) logits."""
        answers = self.network((patches - 0.5) / 0.25)
        return answers.flatten(2).mean(2) if answers.ndim == 4 else answers

    def dense(self, images: torch.Tensor, **step: int) -> torch.Tensor:
        """(N, 1, H, W) in [0, 1] -> (N, levels, rows, columns) logits of every window or cell."""
        return self.network((images - 0.5) / 0.25, **step)


def build(name: str, sigmas, *, seed: int = 0) -> Classifier:
    """Build an untrained classifier.

    Raises
    ------
    ValueError
        If there is no backbone of that name.
    """
    torch.manual_seed(seed)
    return Classifier(name, sigmas)


def inherit(model: Classifier, other: Classifier) -> list[str]:
    """Copy every parameter that both networks have by name and shape; return the names."""
    mine, theirs = model.network.state_dict(), other.network.state_dict()
    shared = [key for key in mine if key in theirs and mine[key].shape == theirs[key].shape]
    model.network.load_state_dict({**mine, **{key: theirs[key] for key in shared}})
    return shared


def save(model: Classifier, path: str | Path, *, about: dict | None = None) -> None:
    """Write a classifier as safetensors; name, levels and ``about`` go into its header.

    Raises
    ------
    ValueError
        If it is folded, see :func:`fold`.
    """
    if model.folded:
        raise ValueError("a folded model is not saved; load it with folded=False")
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    header = {"backbone": model.name, "about": json.dumps(about or {}, sort_keys=True)}
    atomic.write_bytes(path, _in_order(safetensors.torch.save(state, metadata=header)))


def _in_order(data: bytes) -> bytes:
    """Return a safetensors file with its metadata sorted by name; as written, their order is random."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors start at a multiple of 8
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def fold(model: Classifier) -> Classifier:
    """Return a copy that answers the same, but for rounding, and sooner; to be neither trained nor saved.

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


def load(name_or_file: str | Path = DEFAULT_MODEL, *, folded: bool = True) -> Classifier:
    """Load a trained classifier, in eval mode on the processor.

    Parameters
    ----------
    name_or_file : a shipped model (see :func:`shipped`) or a ``.safetensors`` file
    folded : made for answers, see :func:`fold`; False leaves it as it was trained

    Returns
    -------
    Classifier with ``.sigmas`` (levels,): (N, 1, 32, 32) float32 in [0, 1] -> (N, levels) logits

    Raises
    ------
    ValueError
        If the name is unknown or the file is not a classifier's; nothing is ever unpickled.
    """
    path = Path(name_or_file)
    if path.suffix != ".safetensors":
        path = _shipped_file(str(name_or_file))
    if not path.is_file():
        raise ValueError(f"no model file {str(path)!r}")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        model = Classifier(header["backbone"], state["sigmas"])
        restore(model, state)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: not weights of this project ({error})") from error
    return fold(model.eval()) if folded else model.eval()


def restore(model: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Load tensors into a network that has exactly these, as it holds them now.

    A plain mapping has lost the versions that some networks of torchvision ask for; the network's own
    ``state_dict`` has them.

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


def about(name_or_file: str | Path = DEFAULT_MODEL) -> dict:
    """Return what was noted about a model when it was saved."""
    path = Path(name_or_file)
    if path.suffix != ".safetensors":
        path = _shipped_file(str(name_or_file))
    with safe_open(path, "pt") as file:
        header = file.metadata()
    return {"backbone": header["backbone"], **json.loads(header["about"])}


def shipped() -> list[str]:
    """Return the names of the models that come with the package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def _shipped_file(name: str) -> Path:
    known = shipped()
    if name not in known:
        raise ValueError(f"no model {name!r}{_meant(name, known)}, or a .safetensors file")
    return WEIGHTS / f"{name}.safetensors"


def _known(name: str) -> str:
    if name not in REGISTRY:
        raise ValueError(f"no backbone {name!r}{_meant(name, list(REGISTRY))}")
    return name


def _meant(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ""
    return f"{guess} (known: {', '.join(known)})"


def _one_channel(network: nn.Module) -> nn.Module:
    """Make a colour network take one grey channel, with batch statistics that settle in one epoch."""
    for parent in network.modules():
        for key, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and child.in_channels == 3:
                setattr(parent, key, _grey_convolution(child))
            if isinstance(child, nn.BatchNorm2d):
                child.momentum = 0.1  # torchvision's MNASNet has 0.0003: made for 350 epochs of ImageNet
    return network


def _grey_convolution(colour: nn.Conv2d) -> nn.Conv2d:
    return nn.Conv2d(
        1,
        colour.out_channels,
        colour.kernel_size,
        colour.stride,
        colour.padding,
        bias=colour.bias is not None,
    )
