"""Farthest first: each item chosen is the one farthest from all chosen before it; exact, without looking at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labelmill.selection._distances import lower_to, norms

__all__ = ["covering_radius", "farthest_first"]

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

AHEAD = 4_096
"""Farthest items among which the next are chosen before the others are looked at again."""

TOGETHER = 256
"""Items chosen between two looks at all: a matrix product in place of as many products with a vector."""


def farthest_first(rows: Floats, allowed: npt.NDArray[np.bool_], known: Floats, count: int) -> Places:
    """Places of the chosen rows, in their order; those of the plain greedy algorithm, but for rounding.

    Distances to the nearest chosen row only shrink. So among the farthest rows greedy may go on for as long as the
    best of them is farther than every row that is not among them was; then one matrix product brings all rows up to
    date. Takes four numbers a row beside the rows.

    Parameters
    ----------
    rows : ndarray of float32, shape (n_rows, n_dimensions)
    allowed : ndarray of bool, shape (n_rows,)
        Rows that may be chosen; the others may hold anything.
    known : ndarray of float32, shape (n_known, n_dimensions)
        Counted as chosen before. Without any, the first row is the one nearest to the mean.
    count : int
    """
    count = min(count, int(allowed.sum()))
    with np.errstate(invalid="ignore", over="ignore"):  # of rows that are not allowed
        lengths = norms(rows)
        least = np.where(allowed, np.float32(np.inf), np.float32(-1.0))
        lower_to(least, rows, known, lengths)
        chosen: list[int] = []
        if count and not len(known):
            chosen = _take(least, rows, lengths, np.array([_central(rows, allowed)]))
        while len(chosen) < count:
            chosen += _take(least, rows, lengths, _ahead(least, rows, lengths, count - len(chosen)))
    return np.array(chosen, dtype=np.intp)


def covering_radius(rows: Floats, chosen: Floats) -> float:
    """Distance of the row that is farthest from its nearest chosen one."""
    least = np.full(len(rows), np.inf, dtype=np.float32)
    lower_to(least, rows, chosen)
    return float(np.sqrt(least.max(initial=0.0)))


def _take(least: Floats, rows: Floats, lengths: Floats, places: Places) -> list[int]:
    """Choose these: the distances of all rows are brought up to date."""
    lower_to(least, rows, rows[places], lengths)
    least[places] = -1.0
    return [int(place) for place in places]


def _ahead(least: Floats, rows: Floats, lengths: Floats, count: int) -> Places:
    """The next rows, as many as can be told without looking at all; at least one."""
    first = int(least.argmax())
    among = np.arange(len(least))
    bound = -np.inf
    if len(least) > AHEAD:
        order = np.argpartition(least, len(least) - AHEAD - 1)
        bound = float(least[order[len(least) - AHEAD - 1]])
        among = np.union1d(order[len(least) - AHEAD :], [first])
    near, vectors, own = least[among], rows[among], lengths[among]
    chosen = [int(np.searchsorted(among, first))]
    while len(chosen) < min(count, TOGETHER):
        last = chosen[-1]
        np.fmin(near, np.maximum(vectors @ (vectors[last] * np.float32(-2.0)) + own + own[last], 0.0), out=near)
        near[chosen] = -1.0
        best = int(near.argmax())
        if near[best] <= bound or near[best] < 0:
            break
        chosen.append(best)
    return np.asarray(among[chosen], dtype=np.intp)


def _central(rows: Floats, allowed: npt.NDArray[np.bool_]) -> int:
    """The allowed row nearest to their mean."""
    mean = np.asarray(np.mean(rows, axis=0, where=allowed[:, None], dtype=np.float64), dtype=np.float32)
    least = np.full(len(rows), np.inf, dtype=np.float32)
    lower_to(least, rows, mean[None])
    return int(np.where(allowed, least, np.inf).argmin())
