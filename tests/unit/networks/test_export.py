import sys

import numpy as np
import pytest
import torch

from defocus_core.blur.sigma_scale import MIN_SIGMA
from defocus_core.cli.parser import main
from defocus_core.maps.config import DEFAULT_CONFIG
from defocus_core.maps.decision import decide_levels
from defocus_core.networks.classifier import build_classifier
from defocus_core.networks.export import export_onnx
from defocus_core.networks.storage import load_model

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.mark.filterwarnings("ignore")  # of the exporter's own making
def test_onnxruntime_gives_torchs_sigma_at_any_size(tmp_path):
    path = tmp_path / "new/m.onnx"
    assert main(["export", str(path)]) == 0
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert "sigma" in session.get_modelmeta().description
    model = load_model()
    for shape in ((128, 160), (200, 72)):
        image = np.random.default_rng(0).random(shape, dtype=np.float32)
        (sigma,) = session.run(None, {"image": image[None, None]})
        with torch.inference_mode():
            logits = model.dense(torch.from_numpy(image[None, None]))[0]
        logarithm, _ = decide_levels(logits, model.sigmas, DEFAULT_CONFIG)
        np.testing.assert_allclose(sigma[0], np.exp(logarithm) - MIN_SIGMA, atol=1e-4)
    graph = onnx.load(path).graph
    assert "grey levels in [0, 1]; height and width multiples of 8" in graph.input[0].doc_string
    assert "every cell of 4x4 pixels" in graph.output[0].doc_string


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["m.pt"], "a file .onnx, not 'm.pt'"),
        (["m.onnx", "--model", "scenenett"], "did you mean 'scenenet'"),
    ],
)
def test_bad_export_is_one_line_and_status_two(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_patches_alone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no dense form"):
        export_onnx(build_classifier("resnet18", torch.linspace(0, 19, 20)), tmp_path / "m.onnx")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ValueError, match=r"export needs the package 'onnxscript': pip install"):
        export_onnx(load_model(), tmp_path / "m.onnx")
