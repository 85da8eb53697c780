from __future__ import annotations

import json
from typing import Any

import pytest

from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels.segment import Segment

SCHEMA = LabelSchema("sound", ("dog", "cat"), kind="segment", modality="audio")


def _mark(label: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"label": label, "start": start, "end": end, **more}


def test_segments_come_in_order_of_time() -> None:
    """Lists and JSON texts give the same, labels as names, times as floats."""
    given = [{"start": 3, "end": 4, "label": 1, "text": "miaow"}, _mark("dog", 0, 1.5)]
    expected = [_mark("dog", 0.0, 1.5), _mark("cat", 3.0, 4.0, text="miaow")]

    assert expected == Segment().validate(given, SCHEMA)
    assert expected == Segment().validate(json.dumps(given), SCHEMA)
    assert Segment().validate("[]", SCHEMA) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("dog", "expected a list of segments"),
        ([_mark("dog", 0, 1), 7], "element 1 is 7"),
        ([{"start": 0, "end": 1}], "element 0 lacks the field 'label'"),
        ([_mark("dgo", 0, 1)], "element 0, field 'label': unknown class 'dgo'.*'dog'"),
        ([{"label": None, "start": 0, "end": 1}], "element 0, field 'label': an abstention"),
        ([{"label": "dog", "start": 0}], "element 0 lacks the field 'end'"),
        ([_mark("dog", -1, 1)], "element 0, field 'start'"),
        ([{"label": "dog", "start": "0", "end": 1}], "element 0, field 'start'"),
        ([_mark("dog", 0, float("nan"))], "element 0, field 'end'"),
        ([_mark("dog", 0, 10**400)], "element 0, field 'end'"),
        ([_mark("dog", 1, 1)], "element 0, field 'end': 1.0 must be greater than start"),
        ([_mark("dog", 0, 1), _mark("dog", 0, 1.0)], "element 1 repeats element 0"),
        ([_mark("dog", 0, 1, text=3)], "element 0, field 'text'"),
        ([_mark("dog", 0, 1, color="red")], "unknown field 'color'"),
    ],
)
def test_the_wrong_field_is_named(value: Any, said: str) -> None:
    """The message says which field of which element is wrong."""
    with pytest.raises(SchemaError, match=said):
        Segment().validate(value, SCHEMA)


def test_nothing_lies_past_the_end() -> None:
    """A known duration bounds the segments, but for rounding."""
    item = Item("x", "x.wav", facts={"duration": 2.0})

    assert [_mark("dog", 1.0, 2.0)] == Segment().validate([_mark("dog", 1, 2.0000001)], SCHEMA, item)
    with pytest.raises(SchemaError, match=r"past the item's duration of 2\.0 seconds"):
        Segment().validate([_mark("dog", 1, 2.1)], SCHEMA, item)


def test_distance_is_one_minus_the_matched_overlap() -> None:
    """Half overlap of one of two: 1 - 2 * 0.5 / 3; another class matches nothing, another text half."""
    distance = Segment().distance
    one = [_mark("dog", 0.0, 2.0)]

    assert distance(one, [_mark("dog", 0.0, 1.0), _mark("cat", 5.0, 6.0)]) == pytest.approx(2 / 3)
    assert distance(one, [_mark("cat", 0.0, 2.0)]) == 1.0
    assert distance([_mark("dog", 0.0, 2.0, text="a")], [_mark("dog", 0.0, 2.0, text="b")]) == 0.5
    assert distance([], []) == 0.0


def test_most_weight_decides_what_is_there() -> None:
    """Events, edges and classes follow the weight; what one of three marks is left out."""
    values = [
        [_mark("dog", 1.0, 2.0)],
        [_mark("dog", 1.1, 2.2), _mark("cat", 7.0, 8.0)],
        [_mark("cat", 1.3, 2.3)],
    ]

    assert Segment().merge(values, [1, 1, 1]) == [_mark("dog", 1.1, 2.2)]
    assert Segment().merge(values, [1, 1, 5]) == [_mark("cat", 1.3, 2.3)]
    assert Segment().merge([[_mark("dog", 1.0, 2.0)], []], [1, 1]) == []
