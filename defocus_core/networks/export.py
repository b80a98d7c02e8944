"""A model as ONNX, for runtimes other than torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import nn

from defocus_core.blur.sigma_scale import SigmaScale
from defocus_core.io import atomic
from defocus_core.networks.classifier import Classifier

REQUIRED_PACKAGES = ("onnx", "onnxscript")
IMAGE = "(1, 1, height, width) float32 grey levels in [0, 1]; {sizes}"
SIGMA = "(1, rows, columns) float32 sigma of the blur in pixels, of {cells}"


class _SigmaModel(nn.Module):
    """The dense form of a classifier; its answer is sigma by the expected logarithm, as maps have it."""

    def __init__(self, model: Classifier):
        super().__init__()
        self.model, self.scale = model, SigmaScale()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(1, 1, H, W) in [0, 1] -> (1, rows, columns) sigma in pixels."""
        chances = self.model.dense(image).softmax(1)
        return self.scale.decode(torch.einsum("nlrc,l->nrc", chances, self.scale.encode(self.model.sigmas)))


def export_onnx(model: Classifier, path: str | Path) -> None:
    """Write a fully convolutional model as ONNX.

    The file takes `image` (1, 1, H, W) float32 in [0, 1] and gives `sigma` (1, rows, columns) float32:
    sigma in pixels of every cell (a dense network; H and W are multiples of 8) or of the window at every
    fourth pixel (H and W are at least 32). That is what maps start from: they stretch the grey levels first
    (`stretch_contrast`), join what smaller copies of the image say, and are refined. The file says so itself, in its
    description and those of its input and output.

    Parameters
    ----------
    model : classifier with a dense form
    path : file to write, its suffix `.onnx`

    Raises
    ------
    ValueError
        If the model has no dense form, the suffix is another, or a package of the extra `onnx` is missing.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"a model is exported to a file .onnx, not {path.name!r}")
    if model.cell is None and model.stride is None:
        raise ValueError(f"{model.name} has no dense form; export blurnet or scenenet")
    missing = [name for name in REQUIRED_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"export needs the package {missing[0]!r}: pip install 'defocus-core[onnx]'")
    free = torch.export.Dim.DYNAMIC  # a named multiple of 8 makes the exporter solve for ever
    with atomic.replacing(path) as part:
        program = torch.onnx.export(
            _SigmaModel(model).eval(),
            (torch.rand(1, 1, 128, 160),),
            input_names=["image"],
            output_names=["sigma"],
            dynamic_shapes={"image": {2: free, 3: free}},
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        _describe(program.model, model)
        program.save(str(part), external_data=False)


def _describe(onnx: Any, model: Classifier) -> None:
    """Write into an ONNX model what it takes and what it answers."""
    if model.cell is None:
        sizes, cells = "height and width at least 32", "the 32x32 window at every fourth pixel"
    else:
        sizes, cells = "height and width multiples of 8", f"every cell of {model.cell}x{model.cell} pixels"
    onnx.doc_string = f"Defocus of one photograph: sigma of the Gaussian blur of each place, by {model.name}"
    onnx.graph.inputs[0].doc_string = IMAGE.format(sizes=sizes)
    onnx.graph.outputs[0].doc_string = SIGMA.format(cells=cells)
