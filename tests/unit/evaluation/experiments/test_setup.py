import inspect
from importlib import import_module

import numpy as np
import pytest

from defocus_core.evaluation.experiments.setup import Setup
from defocus_core.maps.pipeline import estimate
from defocus_core.networks.storage import load_model
from workflow_support.sections.applications import ApplicationsSection

SECTIONS = {name: field.annotation for name, field in ApplicationsSection.model_fields.items()}


@pytest.mark.parametrize("application", SECTIONS)
def test_an_experiment_takes_the_settings_of_its_section(application):
    settings = list(
        inspect.signature(import_module(f"defocus_core.evaluation.experiments.{application}").run).parameters
    )
    assert settings[0] == "setup"
    assert set(settings[1:]) == set(SECTIONS[application].model_fields)


def test_the_maps_of_a_setup_are_those_of_estimate_with_its_options():
    model = load_model("blurnet")
    image = np.random.default_rng(0).random((50, 60), dtype=np.float32)
    setup = Setup(model, options={"step": 8, "refine": False})
    np.testing.assert_array_equal(setup.map(image), estimate(image, model=model, step=8, refine=False))
