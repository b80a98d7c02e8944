"""Kinds of values, and sections that replace part of another."""

import pytest
from pydantic import TypeAdapter

from defocus_core.settings import SettingsError
from defocus_core.training.config import TrainConfig
from workflow_support.sections.fields import Model, partial


@pytest.mark.parametrize("model", ["shipped/scenenet", "trained/a", "patch_variant/b_1", "my/own.safetensors"])
def test_a_model_is_of_the_package_of_this_run_or_a_file(model):
    assert TypeAdapter(Model).validate_python(model) == model


def test_what_replaces_keys_requires_none_and_knows_no_other():
    changes = partial(TrainConfig, "Changes")
    assert changes(batch=64).model_dump(exclude_unset=True) == {"batch": 64}
    with pytest.raises(SettingsError, match="batch is at least 2, not 1"):
        changes(batch=1)
    with pytest.raises(SettingsError, match="bach is no known key; did you mean 'batch'"):
        changes(bach=64)
