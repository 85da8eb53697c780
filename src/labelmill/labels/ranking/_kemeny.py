"""The order that contradicts the least weight of what was said."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_EXACT", "best_order"]

MOST_EXACT = 8
"""So many classes are put in order exactly; the work doubles with each."""

DIGITS = 12
"""Sums of weights are rounded to so many digits of the whole weight, so that equal ones are equal."""


def best_order(names: Sequence[str], rankings: Sequence[Sequence[str]], weights: Sequence[float]) -> list[str]:
    """The names in the order with the least weight of pairs that a ranking has the other way round.

    Kemeny's rule (Kemeny 1959, "Mathematics without numbers"), over partial rankings whose unnamed ones are tied
    last. Up to `MOST_EXACT` names it is exact, by dynamic programming over subsets; beyond, names are ordered by their
    Borda counts and moved, one at a time, while that helps (Ali and Meila 2012,
    https://doi.org/10.1016/j.mathsocsci.2011.08.008, find such searches next to exact). Ties follow the order of
    `names`.
    """
    margins = _margins(names, rankings, weights)
    order = _exact(margins) if len(names) <= MOST_EXACT else _improved(_borda(margins), margins)
    return [names[k] for k in order]


def _margins(
    names: Sequence[str], rankings: Sequence[Sequence[str]], weights: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Shape (n, n): weight of the rankings with row before column, minus the weight of those against it."""
    n = len(names)
    places = [{name: place for place, name in enumerate(ranking)} for ranking in rankings]
    at = np.array([[place.get(name, len(place)) for name in names] for place in places], dtype=np.int64)
    shares = np.asarray(weights) / math.fsum(weights)
    margins = np.zeros((n, n))
    for x in range(n):
        for y in range(x):
            sign = np.sign(at[:, y] - at[:, x])
            margins[x, y] = round(math.fsum(shares * sign), DIGITS)
            margins[y, x] = -margins[x, y]
    return margins


def _exact(margins: npt.NDArray[np.float64]) -> list[int]:
    """Best order of each subset as a whole, from those that are one smaller: the last name is put behind the rest."""
    n = len(margins)
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())] * (1 << n)
    rows = margins.tolist()
    for subset in range(1, 1 << n):
        members = [k for k in range(n) if subset >> k & 1]
        best[subset] = min(
            (round(cost + sum(rows[last][k] for k in order), DIGITS), (*order, last))
            for last in members
            for cost, order in [best[subset & ~(1 << last)]]
        )
    return list(best[-1][1])


def _borda(margins: npt.NDArray[np.float64]) -> list[int]:
    order: list[int] = np.argsort(-margins.sum(axis=1).round(DIGITS), kind="stable").tolist()
    return order


def _improved(order: list[int], margins: npt.NDArray[np.float64]) -> list[int]:
    """Take each name out and put it where it contradicts least, until none wants to move."""
    rows = margins.tolist()
    for _ in range(len(order)):
        before = list(order)
        for name in sorted(order):
            others = [k for k in order if k != name]
            gains = [0.0]
            for k in others:
                gains.append(round(gains[-1] + rows[name][k], DIGITS))  # standing behind k costs its margin over k
            now = order.index(name)
            place = min(range(len(gains)), key=lambda p: (gains[p], abs(p - now), p))
            if gains[place] < gains[now]:
                order = [*others[:place], name, *others[place:]]
        if order == before:
            break
    return order
