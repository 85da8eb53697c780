"""How often any two annotators give any two labels together: all that moment-based label models learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._tally import Floats, Tally
from labelmill.domain.sums import Sums
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError

__all__ = ["AskOverlaps", "Overlaps", "check_size", "checked_balance"]

MOST_COLUMNS = 5000
"""Annotators times classes; the square of it is held in memory, 200 MB at the limit."""

SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Counts of pairs of votes on the same item.

    Parameters
    ----------
    together : ndarray of float64, shape (n_annotators, n_classes, n_annotators, n_classes)
        `[a, l, b, m]`: items where a says l and b says m, whole numbers. Repeated votes count each.
    votes : ndarray of float64, shape (n_annotators, n_classes)
        Votes by label.
    shares : ndarray of float64, shape (n_classes,)
        Sum over the items of the share of the votes each class got.
    n_items : float
        Items, voted on or not: a rule that keeps silent says something too.
    """

    together: Floats
    votes: Floats
    shares: Floats
    n_items: float

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The counts that `AskOverlaps` answers with."""
        together, votes, shares, sizes = sums.arrays
        return cls(together, votes, shares, float(sizes[0]))

    @property
    def named(self) -> npt.NDArray[np.bool_]:
        """Whether any vote names the class, shape (n_classes,)."""
        return np.asarray(self.votes.sum(axis=0) > 0)

    @property
    def covariance(self) -> Floats:
        """Covariance of "a says l" and "b says m" over the items, in the shape of `together`."""
        n_items = max(self.n_items, 1.0)
        rate = self.votes / n_items
        return np.asarray(self.together / n_items - rate[:, :, None, None] * rate)


@dataclass(frozen=True, slots=True)
class AskOverlaps:
    """Asks a shard for its `Overlaps`."""

    def __call__(self, votes: VoteTable, /) -> Sums:
        """Counts of the shard."""
        tally = Tally.of(votes)
        shape = (tally.n_annotators, tally.n_classes)
        weighted = tally.one_hot.multiply(tally.weights[:, None]).tocsr()
        together = np.asarray((tally.one_hot.T @ weighted).toarray(), dtype=np.float64).reshape(shape + shape)
        by_label = np.asarray(tally.one_hot.T @ tally.weights, dtype=np.float64).reshape(shape)
        return Sums((together, by_label, tally.state_counts(tally.shares), np.array([tally.n_items])))


def check_size(model: str, n_annotators: int, n_classes: int) -> None:
    """Raise UsageError where the overlaps would not fit into memory."""
    if n_annotators * n_classes > MOST_COLUMNS:
        raise UsageError(
            f"{model} compares all pairs of annotators and labels, {n_annotators} x {n_classes} squared; it takes "
            f"{MOST_COLUMNS} at most: for many annotators use shrinkage_dawid_skene (people) or "
            "anchored_naive_bayes (rules)"
        )


def checked_balance(given: Sequence[float], n_classes: int) -> Floats:
    """A class balance as given.

    Raises
    ------
    UsageError
        If it has not one number above 0 for each class, or they do not sum to 1.
    """
    balance = np.asarray(given, dtype=np.float64)
    if balance.shape != (n_classes,) or not (balance > 0).all() or abs(balance.sum() - 1.0) > SUM_TOLERANCE:
        raise UsageError(
            f"class_balance must be {n_classes} numbers above 0 that sum to 1, one for each class in the order of the "
            f"table, found {given!r}"
        )
    return np.asarray(balance / balance.sum())
