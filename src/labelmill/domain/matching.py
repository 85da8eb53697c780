"""Which elements of two answers are meant to be the same: one-to-one matching by similarity."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["one_to_one", "unmatched_in", "unmatched_share"]

DIGITS = 12
"""Sums are rounded to so many digits: two best matchings may differ in the last bits."""


def one_to_one(similarity: npt.ArrayLike, *, least: float = 0.0) -> list[tuple[int, int]]:
    """Pairs (row, column) of greatest total similarity, each row and column at most once.

    The assignment problem (Kuhn 1955, https://doi.org/10.1002/nav.3800020109), solved by
    `scipy.optimize.linear_sum_assignment`.

    Parameters
    ----------
    similarity : array of float, shape (n_rows, n_columns)
        At least 0; what is not above `least` is never paired.

    Examples
    --------
    >>> one_to_one([[0.9, 0.8], [0.8, 0.0]])
    [(0, 1), (1, 0)]
    """
    table = np.asarray(similarity, dtype=np.float64)
    if not table.size:
        return []
    from scipy.optimize import linear_sum_assignment

    usable = np.where(table > least, table, 0.0)
    rows, columns = linear_sum_assignment(usable, maximize=True)
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if usable[i, j] > 0]


def unmatched_share(a: Sequence[Any], b: Sequence[Any], similarity: Callable[[Any, Any], float]) -> float:
    """How far two lists of elements are apart: 1 - 2 (similarity of matched pairs) / (|a| + |b|), between 0 and 1.

    One minus the Dice coefficient with soft matches; for elements that match or do not, one minus F1. Two empty
    lists are equal.

    Parameters
    ----------
    similarity : callable
        Of two elements, symmetric, between 0 and 1, 1 for equal ones.

    Examples
    --------
    >>> unmatched_share("abc", "bcd", lambda x, y: float(x == y))
    0.333333333333
    """
    return unmatched_in(np.array([[similarity(x, y) for y in b] for x in a]).reshape(len(a), len(b)))


def unmatched_in(similarity: npt.ArrayLike) -> float:
    """The same of a table of similarities, shape (|a|, |b|)."""
    table = np.asarray(similarity, dtype=np.float64)
    n = sum(table.shape)
    if not n:
        return 0.0
    matched = math.fsum(float(table[i, j]) for i, j in one_to_one(table))
    return min(max(round(1.0 - 2.0 * matched / n, DIGITS), 0.0), 1.0)
