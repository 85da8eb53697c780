from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError, UsageError
from labelmill.labels.number import Number

SCHEMA = LabelSchema("price", (), kind="number")
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3.0), ("3.5", 3.5), (" -2e3 ", -2000.0), (np.float32(0.5), 0.5), (-0.0, 0.0)]
)
def test_numbers_in_any_form_are_floats(value: Any, expected: float) -> None:
    """Integers, texts and NumPy's numbers; zero has no sign."""
    found = Number().validate(value, SCHEMA)

    assert type(found) is float
    assert repr(expected) == repr(found)


@pytest.mark.parametrize("value", [None, "", "ABSTAIN", "3,5", "nan", float("inf"), True, [3], 1j, 10**400, "1e400"])
def test_anything_else_is_refused(value: Any) -> None:
    """No abstentions, truth values, infinities, nor what no float can hold."""
    with pytest.raises(SchemaError, match="expected a finite number"):
        Number().validate(value, SCHEMA)


def test_a_range_bounds_answers_and_scales_distances() -> None:
    """Between 0 and 10, two and four are a fifth apart, and eleven is refused."""
    kind = Number(between=(0.0, 10.0))

    assert kind.distance(2.0, 4.0) == pytest.approx(0.2)
    with pytest.raises(SchemaError, match=r"from 0\.0 to 10\.0"):
        kind.validate(11, SCHEMA)
    with pytest.raises(UsageError, match="the smaller first"):
        Number(between=(1.0, 1.0))


@given(FINITE, FINITE)
def test_distance_is_a_share_whatever_the_size(a: float, b: float) -> None:
    """No overflow at the largest floats, no zero between different ones, and no unit matters."""
    distance = Number().distance

    assert 0.0 <= distance(a, b) <= 1.0
    assert (distance(a, b) == 0.0) == (a == b)
    if 1e-300 < min(abs(a), abs(b)) and max(abs(a), abs(b)) < 1e300:
        assert distance(a, b) == pytest.approx(distance(2 * a, 2 * b))


def test_the_median_ignores_a_blunder() -> None:
    """Half way between two in the middle, without overflow."""
    assert Number().merge([1.0, 2.0, 1e9], [1, 1, 1]) == 2.0
    assert Number().merge([1.0, 2.0], [1, 1]) == 1.5
    assert math.isfinite(Number().merge([1.7e308, 1.6e308], [1, 1]))
