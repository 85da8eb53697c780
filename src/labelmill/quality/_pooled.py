"""Coefficients of all votes together: who cast a vote does not matter, only the item that it is on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labelmill.quality._units import Units
from labelmill.quality.coefficients import COEFFICIENTS, Metric, chance_corrected
from labelmill.quality.distances import Counts, Distance, Moments, Nominal, Squared

__all__ = ["FEW_LABELS", "Pool", "Statistic", "alpha_of_coincidences", "nominal_alpha", "specific_agreement"]

Floats = npt.NDArray[np.float64]

STRETCH = 2**15
"""Cells of unit and label that are counted at a time where the votes are sorted."""

FEW_LABELS = 32
"""Up to so many a table of all pairs of labels costs less than anything else."""


@dataclass(frozen=True)
class Pool:
    """Units with votes, ready to be counted any number of times each.

    Parameters
    ----------
    weight : ndarray of int64, shape (n_units,)
        Items each unit stands for.
    counts : Counts
    """

    weight: npt.NDArray[np.int64]
    counts: Counts

    def with_votes(self, at_least: int) -> Pool:
        """The units that have so many votes."""
        kept = self.counts.n_votes >= at_least
        if kept.all():
            return self
        at = np.flatnonzero(kept)
        return Pool(self.weight[at], Counts(self.counts.table[at], self.counts.n_votes[at]))

    def against_the_rest(self, label: int) -> Pool:
        """The same units with two labels: any other, and this one."""
        table, n_votes = self.counts.table, self.counts.n_votes
        named = table[:, [label]].toarray()[:, 0] if self.counts.is_sparse else table[:, label]
        return Pool(self.weight, Counts(np.stack([n_votes - named, named], axis=1), n_votes))

    @property
    def once(self) -> Floats:
        """Shape (1, n_units): every item as it is, none drawn."""
        return self.weight[None].astype(np.float64)

    def condensed(self) -> Pool:
        """Units with the same counts as one, where few enough labels let a number stand for them.

        Crowds with three votes an item and four labels make 20 of any number of items: every draw is cheap then, and
        the order of the items leaves no trace in the last bits.
        """
        table = self.counts.table
        base = float(self.counts.n_votes.max(initial=0) + 1)
        if self.counts.is_sparse or table.shape[1] * math.log2(base) >= 53:
            return self
        key = table @ base ** np.arange(table.shape[1], dtype=np.float64)
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        weight = np.bincount(place.reshape(-1), weights=self.weight, minlength=len(first)).astype(np.int64)
        return Pool(weight, Counts(table[first], self.counts.n_votes[first]))


class Statistic:
    """A coefficient of a pool, for any draw of its units.

    Parameters
    ----------
    pool : Pool
    metric : str
    distance : Distance

    Attributes
    ----------
    apart : ndarray of float64, shape (n_units,), or None
        Mean distance of a unit's pairs of votes, 0 without a pair; None where it depends on the draw.
    """

    def __init__(self, pool: Pool, metric: Metric, distance: Distance) -> None:
        self.metric = metric
        self.distance = distance
        self.counts = pool.counts
        m = self.counts.n_votes.astype(np.float64)
        is_paired = m > 1
        pairs = m * (m - 1)
        self._pairs = np.maximum(pairs, 1)
        reach = COEFFICIENTS[metric].reach
        self._item_weight = is_paired * (m if reach == "votes" else pairs if reach == "pairs" else 1.0)
        # What a vote adds to the margins: of `items` each item adds the same, also with one vote.
        self._vote_weight = 1 / np.maximum(m, 1) if reach == "items" else is_paired
        self._n_votes = m if reach == "items" else m * is_paired
        self.apart = None
        if not (isinstance(distance, Squared) and distance.is_rank):
            self.apart = self._disagreement(distance)[:, 0]
            if self.counts.is_sparse and isinstance(distance, Squared) and metric != "gwet":
                self.distance, self.counts = Moments(distance.largest), distance.moments(self.counts)
            if metric == "percent":  # nothing is expected, so nobody asks for margins
                self.counts = Counts(np.zeros((len(m), 0)), self.counts.n_votes)
        self._by_label = self.counts.table.T.tocsr() if self.counts.is_sparse else self.counts.table.T

    def __call__(self, times: Floats) -> tuple[Floats, Floats]:
        """The coefficient in each draw, and the disagreement that it expects, shape (n_draws,) each.

        Parameters
        ----------
        times : ndarray of float64, shape (n_draws, n_units)
            How many times each unit counts.
        """
        if self.counts.is_sparse and len(times) > 1:  # tables of draws and labels would be larger than the votes
            parts = [self(one[None]) for one in times]
            return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        margins = self._margins(times)
        given = self.distance.given(margins)
        if self.apart is not None:
            weighed = times @ (self.apart * self._item_weight)
        else:
            weighed = ((times * self._item_weight) * self._disagreement(given).T).sum(axis=1)
        total = times @ self._item_weight
        observed = np.divide(weighed, total, out=np.full(len(total), np.nan), where=total > 0)
        return chance_corrected(self.metric, observed, margins, margins, times @ self._n_votes, given)

    def of_units(self, times: Floats) -> tuple[Floats, Floats]:
        """What each unit adds: 1 minus its own disagreement over that expected in all, and its mean distance.

        NaN, shape (n_units,), where it has fewer than two votes or nothing is expected.
        """
        expected = self(times)[1]
        apart = self.apart
        if apart is None:
            apart = self._disagreement(self.distance.given(self._margins(times)))[:, 0]
        apart = np.where(self.counts.n_votes > 1, apart, np.nan)
        return 1 - apart / expected[0], apart

    def _margins(self, times: Floats) -> Floats:
        """Shape (n_draws, n_labels): weight of each label."""
        return np.asarray((self._by_label @ (times * self._vote_weight).T).T)

    def _disagreement(self, distance: Distance) -> Floats:
        """Mean distance of a unit's pairs of votes, shape (n_units, 1 or n_draws)."""
        within = distance.within(self.counts)
        return (within[:, None] if within.ndim == 1 else within) / self._pairs[:, None]


def alpha_of_coincidences(units: Units, n_labels: int, distance: Distance) -> float:
    r"""Krippendorff's alpha by the coincidence matrix of votes that are sorted by unit; for few labels.

    :math:`o_{ck} = \sum_u \frac{n_{uc} n_{uk} - [c = k] n_{uc}}{m_u - 1}` holds all that any distance asks of the votes
    (Krippendorff 2011, https://repository.upenn.edu/asc_papers/43).
    """
    found = np.zeros((n_labels, n_labels))
    for weight, table in _tables(units, n_labels):
        m = table.sum(axis=0)
        times = np.where(m > 1, weight / np.maximum(m - 1, 1), 0.0)
        found += (table * times) @ table.T
        found[np.diag_indices(n_labels)] -= table @ times
    totals = found.sum(axis=1)
    n_votes, given = totals.sum(), distance.given(totals)
    labels = np.arange(n_labels)
    apart = given.between(np.zeros(1, dtype=np.intp), labels[:, None], labels)
    observed = np.array((found * apart).sum() / n_votes if n_votes else np.nan)
    return float(chance_corrected("krippendorff", observed, totals, totals, n_votes, given)[0])


def nominal_alpha(units: Units, n_labels: int) -> float:
    """Krippendorff's alpha for names, in one pass over votes that are sorted by unit; the same sums as `Statistic`."""
    totals, apart = np.zeros(n_labels), 0.0
    for weight, table in _tables(units, n_labels):
        m = table.sum(axis=0)
        times = weight * (m > 1)
        totals += table @ times
        table *= table
        apart += float(times @ ((m * m - table.sum(axis=0)) / np.maximum(m - 1, 1)))
    n_votes = totals.sum()
    observed = np.array(apart / n_votes if n_votes else np.nan)
    return float(chance_corrected("krippendorff", observed, totals, totals, n_votes, Nominal())[0])


def _tables(units: Units, n_labels: int) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
    """Weight of each unit and its votes for each label, shape (n_labels, some units), a stretch of units at a time.

    What is counted stays in the processor's cache, and memory does not grow with the votes.
    """
    k = max(n_labels, 1)
    step = max(STRETCH // k, 1)
    ends = np.searchsorted(units.unit, np.arange(0, units.n_units + step, step, dtype=units.unit.dtype))
    for i, (start, stop) in enumerate(itertools.pairwise(ends.tolist())):
        weight = units.weight[i * step : (i + 1) * step]
        cells = np.multiply(units.label[start:stop], len(weight), dtype=np.intp)
        cells += units.unit[start:stop]
        cells -= i * step
        # A row for each label: sums over labels then run along memory.
        yield weight, np.bincount(cells, minlength=len(weight) * k).reshape(k, -1).astype(np.float64)


def specific_agreement(counts: Counts, times: Floats) -> Floats:
    """How often a second vote on an item names the last of two labels where a first one does, by draw.

    Positive agreement (Cicchetti and Feinstein 1990, doi:10.1016/0895-4356(90)90159-M), over all pairs of votes.
    """
    named, m = counts.table[:, 1], counts.n_votes
    agreed, pairs = times @ (named * (named - 1)), times @ (named * (m - 1))
    return np.asarray(np.divide(agreed, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0))
