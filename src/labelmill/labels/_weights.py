"""What every merge asks of its input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from labelmill.errors import UsageError

__all__ = ["checked_weights"]


def checked_weights(values: Sequence[Any], weights: Sequence[float]) -> list[float]:
    """The weights; all 1 when all are 0, because then nobody is trusted more than another.

    Raises
    ------
    UsageError
        If there is nothing to merge, there is not one weight for each value, or a weight is negative or not finite.
    """
    if not len(values):
        raise UsageError("nothing to merge: give at least one value")
    if len(values) != len(weights):
        raise UsageError(f"{len(weights)} weights for {len(values)} values: give one for each")
    for weight in weights:
        if not (math.isfinite(weight) and weight >= 0):
            raise UsageError(f"a weight must be a finite number of at least 0, found {weight}")
    return [float(weight) for weight in weights] if any(weights) else [1.0] * len(values)
