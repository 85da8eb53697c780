from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labelmill import registry
from labelmill.domain.attributes import Attribute
from labelmill.domain.item import Item
from labelmill.domain.ports import LabelKind
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError

DIRECTION = Attribute("direction", options=("left", "right"), classes=("car",), required=True)
OCCLUDED = Attribute("occluded", "yes_no")
SPEED = Attribute("speed", "number", least=0.0, most=130.0)
NOTE = Attribute("note", "text")
ATTRIBUTES = (DIRECTION, OCCLUDED, SPEED, NOTE)

SHAPES: dict[str, dict[str, Any]] = {
    "box": {"label": "car", "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0},
    "polygon": {"label": "car", "points": [[0.0, 0.0], [40.0, 0.0], [0.0, 30.0]]},
    "point": {"label": "car", "x": 10.0, "y": 20.0},
    "span": {"start": 0, "end": 4, "label": "car"},
    "segment": {"label": "car", "start": 0.5, "end": 1.5},
}
FULL = {"direction": "left", "occluded": True, "speed": 30.0, "note": "old"}


def _schema(kind: str, *attributes: Attribute) -> LabelSchema:
    return LabelSchema("traffic", ("car", "bus"), kind=kind, attributes=attributes or ATTRIBUTES)


def _kind(schema: LabelSchema) -> LabelKind:
    found: LabelKind = registry.find("label_kind", schema.kind)(**schema.kind_options)
    return found


@pytest.mark.parametrize("kind", SHAPES)
def test_attributes_are_kept_in_the_order_of_the_schema(kind: str) -> None:
    """From a list or its JSON text, numbers as floats; blank and null ones are none; a second look changes nothing."""
    schema = _schema(kind)
    told = {"note": " ", "speed": 30, "occluded": None, "direction": "left"}

    (found,) = _kind(schema).validate([SHAPES[kind] | {"attributes": told}], schema)

    assert SHAPES[kind] | {"attributes": {"direction": "left", "speed": 30.0}} == found
    assert list(found["attributes"]) == ["direction", "speed"]
    assert isinstance(found["attributes"]["speed"], float)
    assert [found] == _kind(schema).validate([found], schema)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({**FULL, "speeed": 3}, "unknown attribute 'speeed': did you mean 'speed'?"),
        ({**FULL, "direction": "lft"}, "'direction': unknown option 'lft': did you mean 'left'?"),
        ({**FULL, "direction": 1}, "'direction': expected one of left, right, found 1"),
        ({**FULL, "occluded": "yes"}, "'occluded': expected true or false, found 'yes'"),
        ({**FULL, "speed": 131}, "'speed': expected a number from 0 to 130, found 131"),
        ({**FULL, "speed": True}, "'speed': expected a number from 0 to 130, found True"),
        ({**FULL, "speed": float("nan")}, "'speed': expected a number from 0 to 130, found nan"),
        ({**FULL, "note": ["x"]}, "'note': expected a text, found ['x']"),
        ({**FULL, "note": "a\0"}, "'note': character 1 is '\\x00'"),
        ({"occluded": True}, "'direction' is required for 'car': give one of left, right"),
        (None, "'direction' is required for 'car'"),
        ([], 'expected an object such as {"occluded": true}, found []'),
    ],
)
def test_wrong_attributes_are_named(kind: str, told: Any, message: str) -> None:
    """The message tells the shape, the attribute, what is wrong and what is allowed."""
    schema = _schema(kind)

    with pytest.raises(SchemaError) as error:
        _kind(schema).validate([SHAPES[kind] | {"attributes": told}], schema)

    assert message in str(error.value)
    assert " 0" in str(error.value)


def test_a_class_has_only_its_own() -> None:
    """A direction is for cars; a bus needs none and may have none."""
    schema = _schema("box")
    bus = SHAPES["box"] | {"label": "bus"}

    assert [bus] == _kind(schema).validate([bus], schema)
    with pytest.raises(SchemaError, match="box 0 attributes: 'direction' is not for 'bus', only for car"):
        _kind(schema).validate([bus | {"attributes": {"direction": "left"}}], schema)


def test_undeclared_attributes_say_where_to_declare_them() -> None:
    """An empty object says nothing and is left out."""
    schema = LabelSchema("traffic", ("car",), kind="box")

    with pytest.raises(
        SchemaError, match=r"'occluded' is not declared, nor is any other: .* \[\[schema.attributes\]\]"
    ):
        _kind(schema).validate([SHAPES["box"] | {"attributes": {"occluded": True}}], schema)
    assert [SHAPES["box"]] == _kind(schema).validate([SHAPES["box"] | {"attributes": {}}], schema)


@pytest.mark.parametrize("kind", SHAPES)
def test_attributes_move_nothing_unless_they_count(kind: str) -> None:
    """Two drawings of the same that differ in an attribute alone have no distance; half of it, where it counts."""
    here, there = ([SHAPES[kind] | {"attributes": {"occluded": told}}] for told in (True, False))

    assert _kind(_schema(kind, OCCLUDED)).distance(here, there) == 0.0
    counting = _kind(_schema(kind, Attribute("occluded", "yes_no", counts=True)))
    assert counting.distance(here, there) == 0.5
    assert counting.distance(there, here) == 0.5
    assert counting.distance(here, here) == 0.0


@pytest.mark.parametrize("kind", SHAPES)
def test_a_merge_asks_those_who_drew_it(kind: str) -> None:
    """The majority's direction, the median speed; what is merged is valid and canonical."""
    schema = _schema(kind)
    values = [
        [SHAPES[kind] | {"attributes": {"direction": direction, "speed": speed}}]
        for direction, speed in (("right", 10.0), ("left", 80.0), ("right", 20.0))
    ]

    merged = _kind(schema).merge(values, [1.0, 1.0, 1.0])

    assert [SHAPES[kind] | {"attributes": {"direction": "right", "speed": 20.0}}] == merged
    assert merged == _kind(schema).validate(merged, schema, Item("a", "x" * 9, {}))
    assert merged == _kind(schema).merge(values[::-1], [1.0, 1.0, 1.0])


@pytest.mark.parametrize("kind", ["span", "segment"])
def test_the_same_region_stands_once_whatever_its_attributes(kind: str) -> None:
    """Attributes make no second region of one."""
    schema = _schema(kind, OCCLUDED)
    twice = [SHAPES[kind] | {"attributes": {"occluded": told}} for told in (True, False)]

    with pytest.raises(SchemaError, match=r"twice|repeats"):
        _kind(schema).validate(twice, schema)


def test_equal_shapes_are_sorted_by_their_attributes() -> None:
    """So that a value does not depend on the order in which it was given."""
    schema = _schema("box", OCCLUDED)
    twice = [SHAPES["box"] | {"attributes": {"occluded": told}} for told in (True, False)]

    assert _kind(schema).validate(twice, schema) == _kind(schema).validate(twice[::-1], schema)


@pytest.mark.parametrize("kind", SHAPES)
def test_examples_give_what_is_required(kind: str) -> None:
    """So that they are valid under a schema that asks for much."""
    must = [
        Attribute("size", "number", least=2.0, most=5.0),
        Attribute("low", "number", most=-1.0),
        DIRECTION,
        OCCLUDED,
    ]
    schema = _schema(kind, *(replace(attribute, required=True) for attribute in [*must, NOTE]))

    for value in _kind(schema).examples(schema):
        assert value == _kind(schema).validate(value, schema)
        assert value == _kind(schema).merge([value, value], [1.0, 2.0])
