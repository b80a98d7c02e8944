"""The face of the package: what `import defocus_core` offers, and what it costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import defocus_core

STUB = Path(defocus_core.__file__).with_suffix(".pyi")
OFFERED = {
    name.asname or name.name: node.module
    for node in ast.parse(STUB.read_text()).body
    if isinstance(node, ast.ImportFrom)
    for name in node.names
}


@pytest.mark.parametrize("name", OFFERED)
def test_every_name_of_the_stub_is_that_of_its_module(name):
    module = importlib.import_module(f"defocus_core.{OFFERED[name]}")
    assert getattr(defocus_core, name) is getattr(module, name)


def test_the_stub_the_package_and_its_listing_offer_the_same_names():
    assert set(defocus_core.__all__) == set(OFFERED)
    assert set(OFFERED) <= set(dir(defocus_core))
    listed = next(
        ast.literal_eval(node.value) for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.Assign)
    )
    assert sorted(listed) == sorted(OFFERED)


def test_a_name_that_is_not_offered_is_an_attribute_error():
    with pytest.raises(AttributeError, match="estimat"):
        defocus_core.estimat  # noqa: B018


CHILD = """
import sys, time
start = time.perf_counter()
import defocus_core
seconds = time.perf_counter() - start
loaded = {"torch", "numpy", "cv2", "scipy", "pydantic"} & set(sys.modules)
print(seconds, *loaded)
"""


def test_the_import_is_quick_and_loads_neither_torch_nor_numpy():
    found = []
    for _ in range(3):  # the quickest counts: other processes may be at work
        done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
        seconds, *loaded = done.stdout.split()
        assert not loaded
        found.append(float(seconds))
    assert min(found) < 0.1


def test_the_default_model_answers_in_eval_mode_with_its_sigmas():
    model = defocus_core.load_model()
    assert not model.training
    with torch.inference_mode():
        assert model(torch.rand(3, 1, 32, 32)).shape == (3, 20)
    assert model.sigmas.shape == (20,)
    assert (model.sigmas.diff() > 0).all()
