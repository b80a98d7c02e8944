"""The examples in docstrings hold."""

import doctest
import importlib

import pytest

MODULES = (
    "defocus_core",
    "defocus_core.applications.depth",
    "defocus_core.applications.enhance",
    "defocus_core.applications.fusion.stack",
    "defocus_core.applications.magnify",
    "defocus_core.applications.score.bursts",
    "defocus_core.applications.score.measure",
    "defocus_core.maps.detail",
    "defocus_core.blur.kernels",
    "defocus_core.blur.levels",
    "defocus_core.blur.rendering",
    "defocus_core.blur.sigma_scale",
    "defocus_core.evaluation.metrics",
    "defocus_core.io.color",
    "defocus_core.io.read",
    "defocus_core.io.write",
    "defocus_core.maps.focus",
    "defocus_core.maps.pipeline",
    "defocus_core.networks.registry",
    "defocus_core.networks.storage",
    "defocus_core.training.patches",
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed
