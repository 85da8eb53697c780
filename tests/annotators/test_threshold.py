"""Thresholds on numbers the user brought and on measures of the text."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelmill.annotators.threshold import Threshold
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SCHEMA = LabelSchema("spam", ("ham", "spam"))


def _votes(rule: Threshold, values: list[Any], dtype: Any = None) -> list[int]:
    column = pl.Series("meta.n", values)
    column = column if dtype is None else column.cast(dtype)
    frame = pl.DataFrame({"id": [str(i) for i in range(len(values))], "data": ["x"] * len(values)})
    return list(rule.annotate(ItemBatch(frame.with_columns(column)), SCHEMA).labels)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ab \t\n\x1c\x1f\x85\xa0\u2028\u3000é中😀e\u0301"), max_size=9)), st.integers(0, 6)
)
def test_measures_mean_their_python_meaning(texts: list[str], bound: int) -> None:
    """Length is `len(text)`, words are `len(text.split())`."""
    batch = ItemBatch.from_texts(texts)

    length = Threshold("spam", field="length", above=bound).annotate(batch, SCHEMA).labels
    words = Threshold("spam", field="words", below=bound).annotate(batch, SCHEMA).labels

    assert [1 if len(text) > bound else -1 for text in texts] == list(length)
    assert [1 if len(text.split()) < bound else -1 for text in texts] == list(words)


NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-(2**62), 2**62).map(float))


@settings(max_examples=150, deadline=None)
@given(st.lists(NUMBERS, max_size=8), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_bounds_mean_their_python_meaning(values: list[float | None], low: float, high: float) -> None:
    """Above and below leave the bound out, between takes it in, NaN passes none."""
    above = _votes(Threshold("spam", field="n", above=low), values, pl.Float64)
    below = _votes(Threshold("spam", field="n", below=low), values, pl.Float64)
    between = _votes(Threshold("spam", field="n", between=(low, high)), values, pl.Float64)

    assert [1 if v is not None and v > low else -1 for v in values] == above
    assert [1 if v is not None and v < low else -1 for v in values] == below
    assert [1 if v is not None and low <= v <= high else -1 for v in values] == between


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Int8, pl.Float32, pl.UInt16, pl.String, pl.Decimal(10, 2)])
def test_any_column_of_numbers(dtype: Any) -> None:
    """Whatever the column's type, the numbers count; a missing one abstains."""
    assert [-1, 1, -1] == _votes(Threshold("spam", field="n", above=2), [1, 3, None], dtype)


def test_bounds_outside_the_columns_type() -> None:
    """A bound that the column could not hold is still a bound."""
    assert [1, 1] == _votes(Threshold("spam", field="n", below=2**70), [1, 2**62], pl.Int64)
    assert [-1, -1] == _votes(Threshold("spam", field="n", above=math.inf), [1, 2**62], pl.Int64)


def test_numbers_written_as_text() -> None:
    """Text is read as `float` does; empty is missing, anything else a fault of its item."""
    items = [Item(str(i), "", meta={"n": text}) for i, text in enumerate(["3", " 4e0 ", "", " ", "many", "1_0", None])]

    votes = Threshold("spam", field="n", above=2, name="n").annotate(ItemBatch.from_items(items), SCHEMA)

    assert [1, 1, -1, -1, -1, 1, -1] == list(votes.labels)
    assert [("4", "the field 'n' holds 'many', which is no number")] == [(f.item, f.error) for f in votes.faults]


def test_own_field_wins_over_the_measure() -> None:
    """A column called length is the user's own."""
    batch = ItemBatch.from_items([Item("a", "a long text", meta={"length": 1})])

    assert [-1] == list(Threshold("spam", field="length", above=5).annotate(batch, SCHEMA).labels)


@pytest.mark.parametrize(
    "options", [{}, {"above": "3"}, {"above": math.nan}, {"below": True}, {"between": 3}, {"between": (1, 2, 3)}]
)
def test_bad_bounds_are_refused(options: dict[str, Any]) -> None:
    """A bound is a number, and there is one."""
    with pytest.raises(RulesError, match=r"bound|between"):
        Threshold("spam", field="n", **options)


def test_column_without_numbers_is_a_fault() -> None:
    """A list is no number: every item says so."""
    batch = ItemBatch(pl.DataFrame({"id": ["a"], "data": ["x"], "meta.n": [[1]]}))

    votes = Threshold("spam", field="n", above=2).annotate(batch, SCHEMA)

    assert "a threshold needs numbers" in votes.faults[0].error
