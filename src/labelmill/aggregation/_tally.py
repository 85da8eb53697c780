"""Votes as a sparse one-hot matrix: the two products every EM here is made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["Floats", "Tally"]

Floats = npt.NDArray[np.float64]

DENSE_ENOUGH = 20
"""Look for repeated rows only where the dense matrix has at most this many cells a vote."""
WORTH_IT = 0.5
"""Work on unique rows when they are at most this share of the items."""


class Tally:
    """The votes of a table as rows of a 0/1 matrix, one column for each pair (annotator, label).

    Rules leave few distinct rows of votes, so these are counted once and weighted; crowds leave as many as there are
    items and are taken as they are. Abstentions have no column.

    Parameters
    ----------
    votes : VoteTable
        Repeated votes of an annotator on an item all count.
    compress : bool
        False keeps one row an item, as soft votes and per-vote questions need.

    Attributes
    ----------
    one_hot : sparse array of float64, shape (n_rows, n_annotators * n_classes)
        Column `annotator * n_classes + label`.
    weights : ndarray of float64, shape (n_rows,)
        How many items with votes the row stands for; 0 where nobody voted.
    inverse : ndarray of int or None
        Row of each item; None where row i is item i.
    shares : ndarray of float64, shape (n_rows, n_classes)
        Share of the votes each class got; uniform where nobody voted.
    unanimous : ndarray of int, shape (n_rows,)
        The one class anybody named, ABSTAIN where none or several were.
    """

    def __init__(self, votes: VoteTable, *, compress: bool = True) -> None:
        self.n_annotators, self.n_classes = votes.n_annotators, votes.n_classes
        self.inverse: npt.NDArray[np.intp] | None = None
        multiplicity: Floats | None = None
        rows, annotators, labels, n_rows = votes.item_index, votes.annotator_index, votes.label, votes.n_items
        if compress and _may_repeat(votes):
            patterns = votes.patterns
            if len(patterns.counts) <= WORTH_IT * votes.n_items:
                rows, annotators = (index.astype(np.int32) for index in np.nonzero(patterns.rows != ABSTAIN))
                labels, n_rows = patterns.rows[rows, annotators], len(patterns.counts)
                self.inverse, multiplicity = patterns.inverse, patterns.counts.astype(np.float64)
        self.n_rows = n_rows
        self.one_hot = _one_hot(rows, annotators, labels, (n_rows, self.n_annotators, self.n_classes))
        self._describe_rows(multiplicity)

    def _describe_rows(self, multiplicity: Floats | None) -> None:
        column_class = np.tile(np.eye(self.n_classes), (self.n_annotators, 1))
        counts = np.asarray(self.one_hot @ column_class).reshape(self.n_rows, self.n_classes)
        total = np.einsum("ij->i", counts)
        covered = total > 0
        uniform = 1.0 / max(self.n_classes, 1)
        self.shares: Floats = np.where(covered[:, None], counts / np.maximum(total, 1.0)[:, None], uniform)
        self.weights: Floats = covered * (np.ones(self.n_rows) if multiplicity is None else multiplicity)
        named = counts.argmax(axis=1) if self.n_classes else np.zeros(self.n_rows, dtype=np.intp)
        most = counts[np.arange(self.n_rows), named] if self.n_classes else total
        self.unanimous: npt.NDArray[np.intp] = np.where(covered & (most == total), named, ABSTAIN)
        self.n_votes = self.total(total)
        self._plain = bool((self.weights == 1.0).all())

    def include(self, rows: npt.NDArray[np.bool_]) -> None:
        """Count these rows once although nobody cast a vote there that names a class."""
        self.weights = np.maximum(self.weights, rows)
        self._plain = bool((self.weights == 1.0).all())

    def evidence(self, per_vote: Floats) -> Floats:
        """Sum over each row's votes of `per_vote[annotator, label]`, shape (n_rows, n_states).

        Parameters
        ----------
        per_vote : ndarray of float64, shape (n_annotators, n_classes, n_states)
            `[j, l, s]`: what label l by annotator j says for state s; a state is a class or a part of one.
        """
        n_states = per_vote.shape[2]
        flat = np.ascontiguousarray(per_vote).reshape(self.n_annotators * self.n_classes, n_states)
        return np.asarray(self.one_hot @ flat).reshape(self.n_rows, n_states)

    def counts(self, posterior: Floats) -> Floats:
        """Expected votes `[j, l, s]`: label l by annotator j on items in state s, by a posterior over the rows."""
        weighted = posterior if self._plain else posterior * self.weights[:, None]
        flat = np.asarray(self.one_hot.T @ weighted)
        return flat.reshape(self.n_annotators, self.n_classes, posterior.shape[1])

    def state_counts(self, posterior: Floats) -> Floats:
        """Expected items with votes in each state, shape (n_states,)."""
        return np.asarray(np.einsum("i,ij->j", self.weights, posterior))

    def total(self, per_row: Floats) -> float:
        """Sum over the items with votes of a number for each row."""
        return float(np.einsum("i,i->", self.weights, per_row))

    def expand(self, rows: Floats) -> Floats:
        """One row an item, from one row a pattern."""
        return rows if self.inverse is None else rows[self.inverse]


def _may_repeat(votes: VoteTable) -> bool:
    """Whether counting patterns is cheap and loses nothing: a dense enough table without repeated votes."""
    cells = votes.n_items * votes.n_annotators
    if not 0 < cells <= DENSE_ENOUGH * max(votes.n_votes, votes.n_items):
        return False
    return int((votes.matrix != ABSTAIN).sum()) == votes.n_votes


def _one_hot(
    rows: npt.NDArray[np.int32],
    annotators: npt.NDArray[np.int32],
    labels: npt.NDArray[np.int16],
    shape: tuple[int, int, int],
) -> sparse.csr_array:
    n_rows, n_annotators, n_classes = shape
    cast = labels != ABSTAIN
    if not cast.all():
        rows, annotators, labels = rows[cast], annotators[cast], labels[cast]
    columns = annotators * np.int32(n_classes) + labels
    # One entry a column, turned to rows: a counting sort by row that, unlike coo_array.tocsr, merges no duplicates.
    by_vote = sparse.csc_array((columns, rows, np.arange(len(rows) + 1, dtype=np.int32)), shape=(n_rows, len(rows)))
    by_row = by_vote.tocsr()
    return sparse.csr_array((np.ones(len(rows)), by_row.data, by_row.indptr), shape=(n_rows, n_annotators * n_classes))
