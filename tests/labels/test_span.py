from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels.span import Span

SCHEMA = LabelSchema("names", ("PER", "LOC"), kind="span")
ITEM = Item("t", "𝒜da in Rome")


def _span(start: Any, end: Any, label: Any = "PER") -> dict[str, Any]:
    return {"start": start, "end": end, "label": label}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], []),
        ("[]", []),
        ([_span(0, 3)], [_span(0, 3)]),
        ('[{"start": 0, "end": 3, "label": "PER"}]', [_span(0, 3)]),
        ((_span(np.int64(7), np.int32(11), 1),), [_span(7, 11, "LOC")]),
        ([_span(2, 3, "LOC"), _span(0, 3, "LOC"), _span(0, 3)], [_span(0, 3), _span(0, 3, "LOC"), _span(2, 3, "LOC")]),
    ],
)
def test_lists_and_their_json_are_values(value: Any, expected: Any) -> None:
    """Spans are sorted by start, end and class order; they may overlap."""
    assert expected == Span().validate(value, SCHEMA, ITEM)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([_span(0, 3), _span(3, 12)], "span 1 .*end 12 lies outside the text, which has 11 characters"),
        ([_span(3, 3)], "span 0 .*end 3 must be greater than start 3"),
        ([_span(5, 2)], "end 2 must be greater than start 5"),
        ([_span(-1, 2)], "start must be a whole number"),
        ([_span(0.0, 2)], "start must be a whole number"),
        ([_span(0, True)], "end must be a whole number"),
        ([_span(0, 2, "ORG")], "span 0 .*label: unknown class 'ORG'"),
        ([_span(0, 2, None)], "label None is an abstention"),
        ([{"start": 0, "end": 2}], "span 0 .*has no 'label'"),
        ([_span(0, 2) | {"text": "x"}], "unknown key 'text'"),
        ([_span(0, 2), _span(0, 2)], "stands twice"),
        (["PER"], "span 0 .*expected a mapping"),
        (_span(0, 2), "expected a list of spans"),
        ("[", "expected a list of spans"),
        (None, "expected a list of spans"),
    ],
)
def test_wrong_spans_are_named(value: Any, told: str) -> None:
    """The message says which span and which field, and what was expected."""
    with pytest.raises(SchemaError, match=told):
        Span().validate(value, SCHEMA, ITEM)


def test_offsets_count_code_points() -> None:
    """A letter beyond the basic plane is one character, as in Python."""
    assert Span().validate([_span(7, 11, "LOC")], SCHEMA, ITEM)
    assert ITEM.text[7:11] == "Rome"


def test_distance_is_by_overlap_and_class() -> None:
    """Half of a span is half right; another class is wrong."""
    kind = Span()
    assert kind.distance([_span(0, 4)], [_span(0, 2)]) == 0.5
    assert kind.distance([_span(0, 4)], [_span(0, 4, "LOC")]) == 1.0
    assert kind.distance([_span(0, 4)], []) == 1.0
    assert kind.distance([], []) == 0.0


def test_more_than_half_of_the_weight_keeps_a_span() -> None:
    """Exactly half is not enough."""
    assert Span().merge([[_span(0, 4)], [_span(0, 4)], []], [1, 1, 1]) == [_span(0, 4)]
    assert Span().merge([[_span(0, 4)], []], [1, 1]) == []
    assert Span().merge([[_span(0, 4)], []], [2, 1]) == [_span(0, 4)]


def test_ends_are_medians() -> None:
    """Three who mark the same name differently meet in the middle."""
    assert Span().merge([[_span(0, 4)], [_span(0, 6)], [_span(1, 5)]], [1, 1, 1]) == [_span(0, 5)]


def test_overlapping_spans_survive() -> None:
    """A name within a name that most mark stays beside it, in class order on the same place."""
    both = [_span(0, 10, "LOC"), _span(2, 5)]
    assert both == Span().merge([both, both, [_span(2, 5)]], [1, 1, 1])
    doubled = [_span(0, 4, "LOC"), _span(0, 4)]
    kind = Span(classes=("LOC", "PER"))
    assert doubled == kind.merge([doubled, doubled, []], [1, 1, 1])


SPANS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 4), st.sampled_from(SCHEMA.classes)), max_size=4, unique=True
).map(lambda rows: Span().validate([_span(s, s + n, label) for s, n, label in rows], SCHEMA))


@given(st.lists(st.tuples(SPANS, st.floats(0, 5)), min_size=1, max_size=5), st.randoms())
def test_merging_in_any_order_gives_a_valid_value(answers: list[Any], random: Any) -> None:
    """Whoever comes first, the same spans stay, and they are spans."""
    kind = Span(classes=SCHEMA.classes)
    shuffled = random.sample(answers, len(answers))

    merged = kind.merge(*zip(*answers, strict=True))

    assert merged == kind.merge(*zip(*shuffled, strict=True))
    assert merged == kind.validate(merged, SCHEMA)
