"""Classifiers on disk: safetensors files and the models in the package."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors.torch
from safetensors import safe_open

from defocus_core.constants import DEFAULT_MODEL
from defocus_core.io import atomic
from defocus_core.networks.classifier import Classifier, fold_batch_norms, restore_weights
from defocus_core.networks.registry import backbone_of_weights
from defocus_core.settings import did_you_mean

WEIGHTS_FOLDER = Path(__file__).parent / "weights"


def save_model(model: Classifier, path: str | Path, *, about: dict | None = None) -> None:
    """Write a classifier as safetensors; name, levels and `about` go into its header.

    Raises
    ------
    ValueError
        If it is folded, see `fold_batch_norms`, or the file is no `.safetensors`.
    """
    if model.folded:
        raise ValueError("a folded model is not saved; load it with folded=False")
    if Path(path).suffix != ".safetensors":
        raise ValueError(f"weights are saved as .safetensors, not as {Path(path).name!r}")
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    header = {"backbone": model.name, "about": json.dumps(about or {}, sort_keys=True)}
    atomic.write_bytes(path, _sort_metadata(safetensors.torch.save(state, metadata=header)))


def _sort_metadata(data: bytes) -> bytes:
    """Return a safetensors file with its metadata sorted by name; as written, their order is random."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors start at a multiple of 8
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def load_model(name_or_file: str | Path = DEFAULT_MODEL, *, folded: bool = True) -> Classifier:
    """Load a trained classifier, in eval mode on the processor.

    Parameters
    ----------
    name_or_file : a shipped model (see `shipped_models`) or a `.safetensors` file
    folded : fold batch norms for inference, see `fold_batch_norms`; False leaves the network as it was trained

    Returns
    -------
    Classifier with `.sigmas` (levels,): (N, 1, 32, 32) float32 in [0, 1] -> (N, levels) logits

    Raises
    ------
    ValueError
        If the name is unknown or the file is not a classifier's; nothing is ever unpickled.

    Examples
    --------
    >>> import torch
    >>> from defocus_core import load_model
    >>> model = load_model("blurnet")
    >>> model(torch.zeros(3, 1, 32, 32)).shape, model.sigmas.shape
    (torch.Size([3, 20]), torch.Size([20]))
    """
    path = Path(name_or_file)
    if path.suffix != ".safetensors":
        path = _shipped_file(str(name_or_file))
    name = backbone_of_weights(path)
    state = safetensors.torch.load_file(path)
    try:
        model = Classifier(name, state["sigmas"])
        restore_weights(model, state)
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: not weights of this project ({error})") from error
    return fold_batch_norms(model.eval()) if folded else model.eval()


def weights_metadata(name_or_file: str | Path = DEFAULT_MODEL) -> dict:
    """Return the metadata that was saved with a model."""
    path = Path(name_or_file)
    if path.suffix != ".safetensors":
        path = _shipped_file(str(name_or_file))
    with safe_open(path, "pt") as file:
        header = file.metadata()
    return {"backbone": header["backbone"], **json.loads(header["about"])}


def shipped_models() -> list[str]:
    """Return the names of the models that come with the package.

    Examples
    --------
    >>> shipped_models()
    ['blurnet', 'blurnet_published', 'mobilenet_v2', 'scenenet']
    """
    return sorted(path.stem for path in WEIGHTS_FOLDER.glob("*.safetensors"))


def _shipped_file(name: str) -> Path:
    known = shipped_models()
    if name not in known:
        raise ValueError(f"no model {name!r}{did_you_mean(name, known)}, or a .safetensors file")
    return WEIGHTS_FOLDER / f"{name}.safetensors"
