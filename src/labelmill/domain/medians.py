"""The middle of weighted values that have an order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

__all__ = ["middle_pair"]

Value = TypeVar("Value")

ROUNDING = 1e-12
"""Of the whole weight: half of it is half in spite of rounding."""


def middle_pair(
    values: Sequence[Value], weights: Sequence[float], *, key: Callable[[Value], Any]
) -> tuple[Value, Value]:
    """The two values in the middle: half of the weight lies at or before the first, and at or after the second.

    They are one and the same unless exactly half of the weight lies before one and after the other.

    Parameters
    ----------
    weights : sequence of float
        One for each value, at least 0 and not all 0.
    """
    weighted = sorted(zip(values, weights, strict=True), key=lambda pair: key(pair[0]))
    counted = [(value, weight) for value, weight in weighted if weight > 0]
    below = [math.fsum(weight for _, weight in counted[: i + 1]) for i in range(len(counted))]
    half, slack = below[-1] / 2, below[-1] * ROUNDING
    first = next(i for i, reached in enumerate(below) if reached >= half - slack)
    last = next(i for i, reached in enumerate(below) if reached > half + slack)
    return counted[first][0], counted[last][0]
