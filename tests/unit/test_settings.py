"""Wrong settings are named by key, value and what is right."""

import re
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from defocus_core.settings import Flag, Fraction, Real, Settings, SettingsError, Whole, did_you_mean


class Inner(Settings):
    depth: Real = Field(1.0, gt=0, lt=10, description="How deep.")


class Lamp(Settings):
    watts: Whole = Field(40, ge=1, le=100, description="Power.")
    share: Fraction = 0.5
    on: Flag = True
    name: Annotated[str, Field(strict=True)] = "lamp"
    colour: Literal["red", "green"] = "red"
    inner: Inner = Inner()
    many: list[Inner] = Field([])
    named: dict[str, Inner] = Field({})

    @model_validator(mode="after")
    def _check_power(self):
        if self.colour == "green" and self.watts > 50:
            raise ValueError(f"a green lamp has 50 watts at most, not {self.watts}")
        return self


class Room(Settings):
    size: Whole
    lamp: Lamp = Lamp()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"watts": 0}, "watts is at least 1, not 0 -- Power."),
        ({"watts": 101}, "watts is at most 100, not 101 -- Power."),
        ({"inner": {"depth": 0}}, "inner.depth is above 0.0, not 0 -- How deep."),
        ({"inner": {"depth": 10.0}}, "inner.depth is below 10.0, not 10.0 -- How deep."),
        ({"share": 1.5}, "share is at most 1.0, not 1.5"),
        ({"colour": "blue"}, "colour is one of 'red', 'green', not 'blue'"),
        ({"watts": 1.5}, "watts is a whole number, not 1.5 -- Power."),
        ({"watts": True}, "watts is a whole number, not True -- Power."),
        ({"on": 1}, "on is true or false, not 1"),
        ({"on": "yes"}, "on is true or false, not 'yes'"),
        ({"name": 3}, "name is text, not 3"),
        ({"inner": 3}, "inner is a mapping, not 3"),
        ({"many": 3}, "many is a list, not 3"),
        ({"share": None}, "share is a number, not None"),
        ({"inner": {"depth": float("inf")}}, "inner.depth is a finite number, not inf -- How deep."),
        ({"colour": "green", "watts": 60}, "a green lamp has 50 watts at most, not 60"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_right(values, message):
    with pytest.raises(SettingsError) as raised:
        Lamp(**values)
    assert str(raised.value) == message


@pytest.mark.parametrize(("written", "number"), [("1e-3", "0.001"), ("5e2", "500.0"), ("1.5", "1.5"), (".5", "0.5")])
def test_a_number_that_yaml_takes_for_text_is_told_as_it_should_be_written(written, number):
    with pytest.raises(SettingsError, match=rf"^share is a number, not '{written}'; YAML .* write {number}$"):
        Lamp(share=written)
    with pytest.raises(SettingsError, match=r"^share is a number, not 'half'$"):
        Lamp(share="half")


def test_an_unknown_key_is_told_with_what_it_probably_means_and_all_that_are_known():
    with pytest.raises(SettingsError) as raised:
        Room(size=1, lamps={})
    assert str(raised.value) == "lamps is no known key; did you mean 'lamp'? (known: size, lamp)"
    with pytest.raises(SettingsError, match=r"^zzz is no known key \(known: size, lamp\)$"):
        Room(size=1, zzz=1)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"lamp": {"watts": 0}}, "lamp.watts"),
        ({"lamp": {"inner": {"depth": -1}}}, "lamp.inner.depth"),
        ({"lamp": {"many": [{}, {"depth": -1}]}}, "lamp.many.1.depth"),
        ({"lamp": {"named": {"a": {"depth": -1}}}}, "lamp.named.a.depth"),
        ({"lamp": {"colour": "green", "watts": 99}}, "lamp"),
        ({"lamp": {"inner": {"dept": 1}}}, "lamp.inner.dept"),
    ],
)
def test_a_key_is_named_by_all_that_lie_above_it(values, key):
    with pytest.raises(SettingsError) as raised:
        Room(size=1, **values)
    assert [name for name, _ in raised.value.problems] == [key]


def test_several_wrong_keys_are_told_at_once():
    with pytest.raises(SettingsError) as raised:
        Room(lamp={"watts": 0, "inner": {"depth": -1}}, door=1)
    assert [key for key, _ in raised.value.problems] == ["size", "lamp.watts", "lamp.inner.depth", "door"]
    parts = str(raised.value).split("; ")
    assert parts[0] == "size is missing"
    assert parts[1].startswith("lamp.watts is at least 1, not 0")
    assert len(parts) == 4


def test_a_copy_is_checked_as_the_first_and_nothing_is_changed_in_place():
    lamp = Lamp(watts=50)
    assert lamp.changed(share=1.0).watts == 50
    assert lamp.changed(share=1.0).share == 1
    assert lamp.share == 0.5
    with pytest.raises(SettingsError, match="watts is at most 100"):
        lamp.changed(watts=1000)
    with pytest.raises(ValidationError, match="frozen"):
        lamp.watts = 3


def test_equal_settings_are_equal_whether_given_as_mappings_or_as_settings():
    assert Room(size=1, lamp={"inner": {"depth": 2.0}}) == Room(size=1, lamp=Lamp(inner=Inner(depth=2.0)))
    assert Room(size=1) != Room(size=2)


def test_a_name_unlike_all_others_is_told_without_a_guess():
    assert did_you_mean("lamb", ["lamp", "door"]) == "; did you mean 'lamp'? (known: lamp, door)"
    assert did_you_mean("x", ["lamp", "door"]) == " (known: lamp, door)"
    assert re.fullmatch(r" \(known: \)", did_you_mean("x", []))
