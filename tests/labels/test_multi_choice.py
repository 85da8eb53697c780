from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels.multi_choice import MultiChoice

SCHEMA = LabelSchema("topic", ("sport", "art", "[odd]"), kind="multi_choice")
VALUES = st.lists(st.sampled_from(("d", "b", "a", "c")), unique=True).map(lambda v: sorted(v, key="dbac".index))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], []),
        (["art", "sport"], ["sport", "art"]),
        ((1, 0), ["sport", "art"]),
        ({"art"}, ["art"]),
        ('["art","sport"]', ["sport", "art"]),
        (" [ ] ", []),
        ("art", ["art"]),
        ("[odd]", ["[odd]"]),
    ],
)
def test_lists_in_any_form_are_values(value: Any, expected: list[str]) -> None:
    """The canonical form is the list of class names in schema order."""
    assert expected == MultiChoice().validate(value, SCHEMA)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "ABSTAIN",
        "",
        "Art",
        '["art", "art"]',
        ["art", 1],
        ["nothing"],
        [None],
        ["ABSTAIN"],
        [["art"]],
        '["art"',
        '{"art": 1}',
        '"art"',
        "[NaN]",
        "[1, 1]",
        "7",
        1,
        b"art",
    ],
)
def test_anything_else_is_refused(value: Any) -> None:
    """Each class once, known classes only, and an abstention is no value."""
    with pytest.raises(SchemaError):
        MultiChoice().validate(value, SCHEMA)


def test_the_message_shows_the_form() -> None:
    """What was expected is shown with a class of the schema."""
    with pytest.raises(SchemaError, match=r'a JSON list of them such as \["sport"\]'):
        MultiChoice().validate("art, sport", SCHEMA)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [([], [], 0.0), (["a"], [], 1.0), (["a", "b"], ["b", "c"], 2 / 3), (["a"], ["a", "b"], 0.5)],
)
def test_distance_is_jaccards(a: list[str], b: list[str], expected: float) -> None:
    """One minus the share of common classes."""
    assert expected == pytest.approx(MultiChoice().distance(a, b))


@given(VALUES, VALUES, VALUES)
def test_distance_is_a_metric(a: list[str], b: list[str], c: list[str]) -> None:
    """A detour is never shorter."""
    distance = MultiChoice().distance

    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-12


def test_more_than_half_of_the_weight_decides() -> None:
    """Each class is decided by itself; exactly half is not enough."""
    merge = MultiChoice().merge

    assert merge([["a", "b"], ["a"], ["b", "c"]], [1, 1, 1]) == ["a", "b"]
    assert merge([["a"], []], [1, 1]) == []
    assert merge([["a"], []], [1.1, 1]) == ["a"]


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_merged_classes_keep_their_order(values: list[list[str]]) -> None:
    """The order of the classes is the one the values agree on, or the one that is given."""
    weights = [1.0] * len(values)
    given_order = MultiChoice(classes=tuple("dbac")).merge(values, weights)

    assert given_order == sorted(given_order, key="dbac".index)
    merged = {tuple(MultiChoice().merge(list(order), weights)) for order in itertools.permutations(values)}
    assert len(merged) == 1
    for value in values:
        assert [name for name in value if name in merged.copy().pop()] == [n for n in merged.copy().pop() if n in value]


def test_values_that_disagree_are_ordered_by_name() -> None:
    """No order can please both."""
    assert MultiChoice().merge([["a", "b"], ["b", "a"]], [1, 1]) == ["a", "b"]
