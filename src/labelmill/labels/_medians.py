"""The weighted medians of values that have an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from labelmill.domain import medians
from labelmill.labels._weights import checked_weights

__all__ = ["lower_median", "middle_pair"]

Value = TypeVar("Value")


def middle_pair(
    values: Sequence[Value], weights: Sequence[float], *, key: Callable[[Value], Any]
) -> tuple[Value, Value]:
    """The two values in the middle; see `labelmill.domain.medians.middle_pair`.

    Raises
    ------
    UsageError
        If there are no values, or the weights do not fit them.
    """
    return medians.middle_pair(values, checked_weights(values, weights), key=key)


def lower_median(values: Sequence[Value], weights: Sequence[float], *, key: Callable[[Value], Any]) -> Value:
    """The first of the two values in the middle."""
    return middle_pair(values, weights, key=key)[0]
