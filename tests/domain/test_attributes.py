from __future__ import annotations

import itertools
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.attribute_merging import attribute_difference, attribute_likeness, merged_attributes
from labelmill.domain.attributes import Attribute, seen_attributes
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError

DIRECTION = Attribute("direction", options=("left", "right", "ahead"))
OCCLUDED = Attribute("occluded", "yes_no")
SPEED = Attribute("speed", "number", least=0.0, most=100.0, unit="km/h")
PLATE = Attribute("plate", "text", classes=("car",))
ALL = (DIRECTION, OCCLUDED, SPEED, PLATE)


def _car(label: str = "car", **attributes: Any) -> dict[str, Any]:
    return {"label": label, "attributes": attributes} if attributes else {"label": label}


def _merged(*told: dict[str, Any], weights: tuple[float, ...] = (), label: str = "car") -> dict[str, Any]:
    found = merged_attributes(told, weights or (1.0,) * len(told), label, ALL)
    return found.get("attributes", {})


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"name": " "}, "an attribute must have a name"),
        ({"kind": "chioce"}, "attribute 'a', kind: unknown 'chioce': did you mean 'choice'"),
        ({}, "attribute 'a', options: a choice needs two at least, found 0"),
        ({"options": ("x", "x")}, "options: names 'x' twice"),
        ({"options": ("x", " ")}, "options: an option must be a text that is not blank"),
        ({"kind": "text", "options": ("x", "y")}, "options: only a choice has some, this is a text"),
        ({"kind": "text", "least": 1.0}, "least: only a number has limits"),
        ({"kind": "number", "least": 2.0, "most": 1.0}, "most: 1 lies below least, 2"),
        ({"kind": "number", "most": math.inf}, "most: must be a finite number"),
        ({"kind": "yes_no", "unit": "m"}, "unit: only a number has one"),
    ],
)
def test_what_declares_nothing_is_refused(told: dict[str, Any], message: str) -> None:
    """The message names the attribute and the field."""
    with pytest.raises(SchemaError) as error:
        Attribute(**{"name": "a", **told})

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("kind", "attributes", "message"),
    [
        ("box", (OCCLUDED, OCCLUDED), "declares the attribute 'occluded' twice"),
        ("box", (Attribute("a", "text", classes=("cra",)),), "'a', classes: unknown class 'cra': did you mean 'car'"),
        ("choice", (OCCLUDED,), "a choice has no shapes or regions to carry them"),
    ],
)
def test_attributes_must_fit_the_schema(kind: str, attributes: tuple[Attribute, ...], message: str) -> None:
    """Each once, for known classes, on shapes and regions."""
    with pytest.raises(SchemaError) as error:
        LabelSchema("traffic", ("car", "bus"), kind=kind, attributes=attributes)

    assert message in str(error.value)


def test_a_schema_survives_json() -> None:
    """What `to_dict` told is the schema again; what an older version told has no attributes."""
    schema = LabelSchema("traffic", ("car", "bus"), kind="box", modality="image", attributes=ALL)

    told = json.loads(json.dumps(schema.to_dict()))

    assert schema == LabelSchema.of(told)
    assert LabelSchema.of({key: value for key, value in told.items() if key != "attributes"}).attributes == ()


def test_without_demands_nothing_is_required() -> None:
    """And all else stays."""
    schema = LabelSchema("traffic", ("car",), kind="box", attributes=(Attribute("a", "text", required=True), OCCLUDED))

    assert (Attribute("a", "text"), OCCLUDED) == schema.without_demands().attributes


@pytest.mark.parametrize(
    ("attribute", "a", "b", "expected"),
    [
        (DIRECTION, "left", "left", 0.0),
        (DIRECTION, "left", "ahead", 1.0),
        (DIRECTION, None, "ahead", 1.0),
        (DIRECTION, None, None, 0.0),
        (OCCLUDED, True, False, 1.0),
        (SPEED, 30.0, 55.0, 0.25),
        (Attribute("n", "number"), 1.0, 3.0, 0.5),
        (Attribute("n", "number"), 0.0, 0.0, 0.0),
        (PLATE, "the red cat", "the red bat", 1 / 3),
    ],
)
def test_difference_by_hand(attribute: Attribute, a: Any, b: Any, expected: float) -> None:
    """Between 0 and 1, the same both ways."""
    assert attribute_difference(attribute, a, b) == pytest.approx(expected)
    assert attribute_difference(attribute, b, a) == attribute_difference(attribute, a, b)


def test_only_attributes_that_count_make_shapes_less_alike() -> None:
    """Half of the likeness is left where all of them differ."""
    counting = Attribute("occluded", "yes_no", counts=True)

    assert attribute_likeness(_car(occluded=True), _car(occluded=False), (OCCLUDED,)) == 1.0
    assert attribute_likeness(_car(occluded=True), _car(occluded=False), (counting,)) == 0.5
    assert attribute_likeness(_car(occluded=True), _car(occluded=True), (counting,)) == 1.0


def test_each_kind_is_voted_on_in_its_way() -> None:
    """Choices and yes or no by weight, numbers by median, texts word by word."""
    found = _merged(
        _car(direction="left", occluded=True, speed=30.0, plate="ab 12 x"),
        _car(direction="right", occluded=False, speed=90.0, plate="ab 17 x"),
        _car(direction="right", occluded=True, speed=32.0, plate="ab 12 y"),
    )

    assert {"direction": "right", "occluded": True, "speed": 32.0, "plate": "ab 12 x"} == found
    assert list(found) == [attribute.name for attribute in ALL]


def test_weight_decides() -> None:
    """One who is trusted more than two together."""
    told = [_car(direction="left", speed=10.0), *[_car(direction="right", speed=50.0)] * 2]

    assert {"direction": "left", "speed": 10.0} == _merged(*told, weights=(3.0, 1.0, 1.0))
    assert {"direction": "right", "speed": 50.0} == _merged(*told, weights=(0.0, 0.0, 0.0))


def test_ties_go_to_the_first_option_and_to_no() -> None:
    """A number lies in the middle of the two."""
    found = _merged(
        _car(direction="ahead", occluded=True, speed=10.0), _car(direction="right", occluded=False, speed=20.0)
    )

    assert {"direction": "right", "occluded": False, "speed": 15.0} == found


def test_what_most_left_out_is_left_out() -> None:
    """Unless people must give it."""
    told = [_car(speed=10.0), _car(), _car()]

    assert _merged(*told) == {}
    assert _merged(_car(speed=10.0), _car()) == {"speed": 10.0}
    must = Attribute("speed", "number", required=True)
    assert merged_attributes(told, [1.0] * 3, "car", (must,)) == {"attributes": {"speed": 10.0}}


def test_only_those_are_asked_whose_class_has_it() -> None:
    """A bus has no plate, so that whoever drew a bus left none out; as a bus the object has none."""
    told = [_car(plate="x"), _car("bus", occluded=True), _car("bus", occluded=True)]

    assert _merged(*told) == {"occluded": True, "plate": "x"}
    assert _merged(*told, label="bus") == {"occluded": True}


def test_undeclared_attributes_are_taken_as_they_seem() -> None:
    """Bools, numbers and texts by what all say of them."""
    seen = seen_attributes([{"b": True, "n": 1, "t": "x"}, None, {"b": False, "n": 2.5, "t": "y"}, {"only": "z"}])

    assert [("b", "yes_no"), ("n", "number"), ("only", "text"), ("t", "choice")] == [(a.name, a.kind) for a in seen]


CARS = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            {},
            optional={
                "direction": st.sampled_from(DIRECTION.options),
                "occluded": st.booleans(),
                "speed": st.floats(0, 100),
                "plate": st.sampled_from(["a b", "a c", "b c d"]),
            },
        ),
        st.floats(0, 5),
    ),
    min_size=1,
    max_size=4,
)


@given(CARS)
def test_the_order_of_drawings_changes_nothing(told: list[tuple[dict[str, Any], float]]) -> None:
    """To the last bit."""
    found = {
        repr(_merged(*(_car(**one) for one, _ in order), weights=tuple(weight for _, weight in order)))
        for order in itertools.permutations(told)
    }

    assert len(found) == 1


@given(CARS)
def test_a_sole_drawing_keeps_its_own(told: list[tuple[dict[str, Any], float]]) -> None:
    """Also when its weight is 0."""
    for one, weight in told:
        assert one == _merged(_car(**one), weights=(weight,))
