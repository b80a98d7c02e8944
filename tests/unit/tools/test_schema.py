"""The schema and the key table are those of the models: `make schema` brings them up to date."""

import jsonschema
import pytest
import schema
import yaml

from workflow_support.configuration import Config

ROOT = schema.ROOT


def test_the_schema_is_that_of_the_models():
    assert (ROOT / "config/schema.yaml").read_text() == schema.schema()


def test_the_key_table_is_that_of_the_models():
    assert (ROOT / "config/README.md").read_text() == schema.readme()


def test_the_default_configuration_satisfies_the_schema_and_a_wrong_key_does_not():
    described = yaml.safe_load(schema.schema())
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    jsonschema.validate(config, described)
    with pytest.raises(jsonschema.ValidationError, match="'stepp' was unexpected"):
        jsonschema.validate({**config, "maps": {**config["maps"], "stepp": 4}}, described)


@pytest.mark.parametrize("key", ["`patches.levels.max_sigma` | number > 0", "`benchmark_sets.NAME.truth` | `embedded`"])
def test_a_row_has_key_and_range(key):
    assert key in schema.key_table()


def test_every_key_is_described():
    table = schema.key_table()
    assert not [row for row in table.splitlines() if row.endswith("|  |")]
    assert len(Config.model_fields) > 10
