"""Coefficients of two annotators: who said what against whom, for every pair of annotators that share items."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from labelmill.errors import UsageError
from labelmill.quality._units import Units
from labelmill.quality.coefficients import Metric, chance_corrected
from labelmill.quality.distances import Distance

__all__ = ["VotePairs"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_PAIRS = 30_000_000
"""Pairs of votes that are listed: 1 GB."""

DENSE = 2**24
"""Keys up to which they are counted instead of sorted."""

MOST_MARGINS = 50_000_000
"""Pairs of annotators times labels up to which they are compared: more would take hours with intervals."""

CELLS = 4_000_000
"""Cells of margins that are made at a time."""


@dataclass(frozen=True)
class VotePairs:
    """Every two votes of different annotators on a unit, as cells: a pair of annotators and a pair of labels.

    Parameters
    ----------
    weight : ndarray of int64, shape (n_units,)
        Items each unit stands for.
    unit, cell : ndarray of int64, shape (n_vote_pairs,)
        Unit and cell of each pair of votes.
    first, second : ndarray of int64, shape (n_pairs,)
        Annotators of each pair, by index, the lower first; sorted.
    row, left, right : ndarray of int64, shape (n_cells,)
        Of each cell, the pair of annotators, and the labels of its two; sorted by row.
    n_labels : int
    """

    weight: Ints
    unit: Ints
    cell: Ints
    first: Ints
    second: Ints
    row: Ints
    left: Ints
    right: Ints
    n_labels: int

    @classmethod
    def of(cls, units: Units, n_labels: int) -> VotePairs:
        """The pairs of votes of these units.

        Raises
        ------
        UsageError
            If there are too many to list.
        """
        one, other = _pairs_of_votes(units)
        k, n = max(n_labels, 1), max(units.n_annotators, 1)
        if n * n * k * k >= 2**62:
            raise UsageError(
                f"{n} annotators and {k} different labels make too many pairs: round the numbers, or choose annotators"
            )
        pair = units.annotator[one].astype(np.int64) * n + units.annotator[other]
        key = (pair * k + units.label[one]) * k + units.label[other]
        cells, cell = _distinct(key, n * n * k * k)
        pairs, row = np.unique(cells // (k * k), return_inverse=True)
        if len(pairs) * k > MOST_MARGINS:
            raise UsageError(
                f"{len(pairs):,} pairs of annotators and {k:,} different labels are too many to compare two by two: "
                "round the numbers, or choose annotators"
            )
        return cls(
            units.weight,
            units.unit[one].astype(np.int64),
            cell,
            pairs // n,
            pairs % n,
            row.reshape(-1),
            cells // k % k,
            cells % k,
            k,
        )

    @property
    def n_pairs(self) -> int:
        """Pairs of annotators that share an item."""
        return len(self.first)

    def against_the_rest(self, label: int) -> VotePairs:
        """The same pairs with two labels: this one as 1, any other as 0."""
        one = (self.left == label).astype(np.int64), (self.right == label).astype(np.int64)
        return replace(self, left=one[0], right=one[1], n_labels=2)

    def weigh(self, times: Floats) -> Floats:
        """Shape (n_cells,): pairs of votes in each cell where unit u is taken `times[u]` times."""
        return _sums(self.cell, times[self.unit], len(self.row))

    def values(self, metric: Metric, distance: Distance, weight: Floats) -> tuple[Floats, Floats]:
        """The coefficient of each pair, and the items that its two share, shape (n_pairs,) each.

        Parameters
        ----------
        weight : ndarray of float64, shape (n_cells,)
            See `weigh`.
        """
        value, shared = np.full(self.n_pairs, np.nan), np.zeros(self.n_pairs)
        step = max(CELLS // self.n_labels, 1)
        for start in range(0, self.n_pairs, step):
            stop = min(start + step, self.n_pairs)
            at = slice(*np.searchsorted(self.row, [start, stop]))
            some = _Cells(self.row[at] - start, self.left[at], self.right[at], weight[at], stop - start, self.n_labels)
            value[start:stop], shared[start:stop] = some.values(metric, distance)
        return value, shared

    def mean(self, value: Floats, shared: Floats) -> float:
        """Over the pairs for which it is defined, weighed by the items they share; NaN without any."""
        weight = np.where(np.isfinite(value), shared, 0.0)
        total = float(weight.sum())
        return float(np.nansum(value * weight) / total) if total > 0 else float("nan")


@dataclass(frozen=True)
class _Cells:
    row: Ints
    left: Ints
    right: Ints
    weight: Floats
    n_rows: int
    n_labels: int

    def values(self, metric: Metric, distance: Distance) -> tuple[Floats, Floats]:
        left, right = self._margins(self.left), self._margins(self.right)
        given = distance.given(left + right)
        shared = _sums(self.row, self.weight, self.n_rows)
        apart = given.between(self.row, self.left, self.right) * self.weight
        total = _sums(self.row, apart, self.n_rows)
        observed = np.divide(total, shared, out=np.full(self.n_rows, np.nan), where=shared > 0)
        value, _ = chance_corrected(metric, observed, left, right, 2 * shared, given)
        return value, shared

    def _margins(self, label: Ints) -> Floats:
        k = self.n_labels
        return _sums(self.row * k + label, self.weight, self.n_rows * k).reshape(self.n_rows, k)


def _sums(place: Ints, weights: Floats, n: int) -> Floats:
    return np.asarray(np.bincount(place, weights=weights, minlength=n), dtype=np.float64)


def _distinct(key: Ints, n_keys: int) -> tuple[Ints, Ints]:
    """The keys that occur, ascending, and the place of each key among them."""
    if n_keys > DENSE:
        cells, cell = np.unique(key, return_inverse=True)
        return cells, cell.reshape(-1)
    cells = np.flatnonzero(np.bincount(key, minlength=n_keys))
    place = np.zeros(n_keys, dtype=np.int64)
    place[cells] = np.arange(len(cells))
    return cells, place[key]


def _pairs_of_votes(units: Units) -> tuple[Ints, Ints]:
    """Positions of the votes of each pair, the lower annotator first; an annotator makes no pair with itself."""
    order = np.argsort(units.unit.astype(np.int64) * max(units.n_annotators, 1) + units.annotator, kind="stable")
    unit = units.unit[order]
    n_votes = np.bincount(unit, minlength=units.n_units)
    ends = np.cumsum(n_votes)
    later = ends[unit] - 1 - np.arange(len(unit))  # votes on the same unit that follow this one
    n_pairs = int(later.sum())
    if n_pairs > MOST_PAIRS:
        raise UsageError(
            f"{n_pairs:,} pairs of votes are too many to compare annotators two by two (at most {MOST_PAIRS:,}): "
            "take krippendorff, fleiss or gwet over all, or fewer annotators"
        )
    one = np.repeat(np.arange(len(unit)), later)
    nth = np.arange(n_pairs) - np.repeat(np.cumsum(later) - later, later)
    other = one + 1 + nth
    one, other = order[one], order[other]
    differ = units.annotator[one] != units.annotator[other]
    return one[differ], other[differ]
