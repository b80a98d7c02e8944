import inspect
from importlib import import_module

import pytest

from workflow_support.configuration import ApplicationsSection

SECTIONS = {name: field.annotation for name, field in ApplicationsSection.model_fields.items()}


@pytest.mark.parametrize("application", SECTIONS)
def test_an_experiment_takes_the_settings_of_its_section(application):
    settings = list(
        inspect.signature(import_module(f"defocus_core.evaluation.experiments.{application}").run).parameters
    )
    assert settings[0] == "setup"
    assert set(settings[1:]) == set(SECTIONS[application].model_fields)
