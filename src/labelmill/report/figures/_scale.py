"""From numbers to places on paper: linear scales, round ticks, labels that keep their distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Scale", "round_below", "spread", "ticks"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps [low, high] to [start, end] px, linearly; what lies outside is put on the border.

    A scale without extent (low = high) puts everything at its start.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value, px."""
        if self.high <= self.low:
            return self.start
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def contains(self, value: float) -> bool:
        """Whether the value is on the scale."""
        return self.low <= value <= self.high


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """About n round numbers (1, 2 or 5 times a power of ten) within [low, high].

    >>> ticks(0, 0.09, 4)
    [0.0, 0.02, 0.04, 0.06, 0.08]
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high - low < 1e-12 * max(abs(low), 1):
        return [low] if math.isfinite(low) else []
    rough = (high - low) / max(n, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda step: abs((high - low) / step - n))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def round_below(share: float) -> float:
    """The next tenth at or below a share, for the low end of an axis.

    >>> round_below(0.47)
    0.4
    """
    return max(math.floor(share * 10 + 1e-9) / 10, 0.0)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places moved as little as needed to stand `gap` apart within [low, high], in their order.

    >>> spread([10, 12], 10, 0, 100)
    [10.0, 20.0]
    """
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    moved = [0.0] * len(places)
    floor = low
    for i in order:
        moved[i] = max(float(places[i]), floor)
        floor = moved[i] + gap
    ceiling = high
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved
