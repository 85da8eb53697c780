"""Votes by unit of counting: an item of a crowd, or all items of one vote pattern of rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["Units", "units_of"]


@dataclass(frozen=True)
class Units:
    """Votes that name a class, each on a unit that stands for `weight` items.

    Parameters
    ----------
    unit, annotator, label : ndarray of int, shape (n_votes,)
        Unit, annotator and class index of each vote.
    weight : ndarray of int64, shape (n_units,)
        Items each unit stands for.
    item_unit : ndarray of int, shape (n_rows,), or None
        Unit of each row of the table; None when they are the same.
    row_weight : ndarray of int64, shape (n_rows,), or None
        Items each row of the table stands for; None for one each.
    n_annotators : int
    """

    unit: npt.NDArray[np.integer[Any]]
    annotator: npt.NDArray[np.integer[Any]]
    label: npt.NDArray[np.integer[Any]]
    weight: npt.NDArray[np.int64]
    item_unit: npt.NDArray[np.intp] | None
    row_weight: npt.NDArray[np.int64] | None
    n_annotators: int

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.weight)

    @cached_property
    def labels_seen(self) -> list[int]:
        """Class indices that occur, ascending."""
        return [int(label) for label in np.flatnonzero(np.bincount(self.label))]

    def vote_weight(self) -> npt.NDArray[np.int64]:
        """Shape (n_votes,): items each vote stands for."""
        return np.asarray(self.weight[self.unit])

    def per_annotator(self, which: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.float64]:
        """Shape (n_annotators,): items each annotator voted on, of the votes marked if any are."""
        weights = self.vote_weight() if which is None else self.vote_weight() * which
        return self._sum(weights)

    def named_classes(self, n_classes: int) -> npt.NDArray[np.float64]:
        """Shape (n_annotators, n_classes): items for which the annotator names the class."""
        cell = self.annotator.astype(np.int64) * n_classes + self.label
        named = np.bincount(cell, weights=self.vote_weight(), minlength=self.n_annotators * n_classes)
        return np.asarray(named, dtype=np.float64).reshape(self.n_annotators, n_classes)

    def compared_with(
        self, truth: npt.NDArray[np.integer[Any]], n_classes: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Shape (n_annotators,) each: votes that equal the truth, and votes on items whose truth is known."""
        if self.item_unit is None:
            known = truth[self.unit] != ABSTAIN
            right = truth[self.unit] == self.label
            return self.per_annotator(right), self.per_annotator(known)
        asked = truth != ABSTAIN
        cell = self.item_unit[asked].astype(np.int64) * n_classes + truth[asked]
        weights = None if self.row_weight is None else self.row_weight[asked]
        counted = np.bincount(cell, weights, minlength=self.n_units * n_classes).astype(np.int64)
        table = counted.reshape(self.n_units, n_classes)
        return self._sum(table[self.unit, self.label]), self._sum(table.sum(1)[self.unit])

    def votes_for(self, label: int | None = None) -> Any:
        """Sparse 0/1 matrix (n_units, n_annotators) of the votes for one class, or for any."""
        from scipy import sparse

        at = slice(None) if label is None else self.label == label
        unit, annotator = self.unit[at], self.annotator[at]
        shape = (self.n_units, self.n_annotators)
        return sparse.csr_array((np.ones(len(unit)), (unit, annotator)), shape=shape)

    def pairs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Shape (n_annotators, n_annotators) each: items both voted on, and items on which they agree."""
        from scipy import sparse

        scale = sparse.diags_array(self.weight.astype(np.float64))
        any_vote = self.votes_for()
        both = (any_vote.T @ scale @ any_vote).toarray()
        agreed = np.zeros_like(both)
        for label in self.labels_seen:
            named = self.votes_for(label)
            agreed += (named.T @ scale @ named).toarray()
        return both.astype(np.int64), agreed.astype(np.int64)

    def _sum(self, weights: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        total = np.bincount(self.annotator, weights=weights, minlength=self.n_annotators)
        return np.asarray(total, dtype=np.float64)


def units_of(votes: VoteTable) -> Units:
    """Patterns where the votes are a dense matrix whose rows pack into 64 bits, items otherwise."""
    is_packable = 0 < votes.n_annotators <= 63 and (votes.n_classes + 1) ** votes.n_annotators < 2**63
    if "matrix" in votes.__dict__ and is_packable and votes.n_items:
        rows, counts, inverse = votes.patterns
        unit, annotator = np.nonzero(rows != ABSTAIN)
        return Units(unit, annotator, rows[unit, annotator], counts, inverse, votes.multiplicity, votes.n_annotators)
    named = votes.label != ABSTAIN
    cast = slice(None) if named.all() else named
    return Units(
        votes.item_index[cast],
        votes.annotator_index[cast],
        votes.label[cast],
        np.ones(votes.n_items, dtype=np.int64) if votes.multiplicity is None else votes.multiplicity,
        None,
        votes.multiplicity,
        votes.n_annotators,
    )
