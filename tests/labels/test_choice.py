from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError, UsageError
from labelmill.labels.choice import Choice

SCHEMA = LabelSchema("spam", ("spam", "ham", "maybe"))


@pytest.mark.parametrize(("value", "expected"), [("ham", "ham"), (0, "spam"), (np.int16(2), "maybe")])
def test_a_name_or_an_index_is_a_value(value: Any, expected: str) -> None:
    """The canonical form is the class name."""
    assert expected == Choice().validate(value, SCHEMA)


@pytest.mark.parametrize("value", ["Ham", "", " ham", None, "ABSTAIN", -1, 3, True, 1.0, ["ham"], '["ham"]'])
def test_anything_else_is_refused(value: Any) -> None:
    """Names are exact, and an abstention is no value."""
    with pytest.raises(SchemaError):
        Choice().validate(value, SCHEMA)


def test_the_nearest_class_is_suggested() -> None:
    """A slip of the key is easy to mend."""
    with pytest.raises(SchemaError, match="did you mean 'spam'"):
        Choice().validate("spma", SCHEMA)


def test_the_heavier_side_wins() -> None:
    """Weights count, not heads."""
    assert Choice().merge(["spam", "spam", "ham"], [0.2, 0.3, 0.6]) == "ham"


def test_ties_go_to_the_first_in_class_order() -> None:
    """The schema's order where it is given, else code point order."""
    assert Choice().merge(["b", "a"], [1, 1]) == "a"
    assert Choice(classes=("b", "a")).merge(["a", "b"], [1, 1]) == "b"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 10)), min_size=1, max_size=8), st.randoms())
def test_the_order_of_votes_changes_nothing(votes: list[tuple[str, float]], random: Any) -> None:
    """Sums are exact, so that not even rounding depends on the order."""
    shuffled = random.sample(votes, len(votes))

    def merged(rows: list[tuple[str, float]]) -> str:
        return Choice().merge([value for value, _ in rows], [weight for _, weight in rows])

    assert merged(votes) == merged(shuffled)


@pytest.mark.parametrize(
    ("values", "weights"),
    [([], []), (["a"], []), (["a"], [-1.0]), (["a"], [float("nan")]), (["a", "b"], [1.0, float("inf")])],
)
def test_merging_needs_values_and_weights(values: list[str], weights: list[float]) -> None:
    """Nothing, too few or senseless weights are a wrong call."""
    with pytest.raises(UsageError):
        Choice().merge(values, weights)
