"""Votes as a sparse one-hot matrix: the two products every EM here is made of."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from scipy import sparse

from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["CELLS_IN_CACHE", "Block", "Floats", "Tally", "shortest"]

Floats = npt.NDArray[np.float64]

DENSE_ENOUGH = 20
"""Look for repeated rows only where the dense matrix has at most this many cells a vote."""
WORTH_IT = 0.5
"""Work on unique rows when they are at most this share of the items."""
CELLS_IN_CACHE = 65_536
"""Numbers worked on at a time: half a megabyte stays in the second-level cache."""


class Block(NamedTuple):
    """Some rows of a tally that are next to each other, small enough for the processor's cache.

    `one_hot` is their part of the tally's matrix and `turned` the same transposed; neither is a copy.
    """

    rows: slice
    one_hot: sparse.csr_array
    turned: sparse.csc_array


class Tally:
    """The votes of a table as rows of a 0/1 matrix, one column for each pair (annotator, label).

    Rules leave few distinct rows of votes, so these are counted once and weighted; crowds leave as many as there are
    items and are taken as they are. Abstentions have no column. Entries within a row are in the order of the columns,
    so that sums over a row have the same bits whatever the other rows and the order of the votes are.

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
    multiplicity : ndarray of float64 or None, shape (n_rows,)
        How many items the row stands for; None where each stands for one.
    inverse : ndarray of int or None
        Row of each item; None where row i is item i.
    shares : ndarray of float64, shape (n_rows, n_classes)
        Share of the votes each class got; uniform where nobody voted.
    unanimous : ndarray of int, shape (n_rows,)
        The one class anybody named, ABSTAIN where none or several were.
    is_plain : bool
        Whether every weight is 1.
    """

    def __init__(self, votes: VoteTable, *, compress: bool = True) -> None:
        self.n_annotators, self.n_classes = votes.n_annotators, votes.n_classes
        self.inverse: npt.NDArray[np.intp] | None = None
        self.n_rows, counted = votes.n_items, votes.multiplicity
        if compress and pays_to_compress(votes):
            patterns = votes.patterns
            self.inverse, self.n_rows, counted = patterns.inverse, len(patterns.counts), patterns.counts
            self.one_hot = _one_hot_of_matrix(patterns.rows, self.n_classes)
        elif "label" not in votes.__dict__:
            self.one_hot = _one_hot_of_matrix(votes.matrix, self.n_classes)
        else:
            self.one_hot = _one_hot(votes)
        self._blocks: dict[int, list[Block]] = {}
        self.multiplicity: Floats | None = None if counted is None else counted.astype(np.float64)
        self._describe_rows()

    @staticmethod
    def of(votes: VoteTable) -> Tally:
        """The tally of a table, made once for as long as the table object lives."""
        kept = _KEPT.get(votes)
        if kept is None:
            kept = _KEPT[votes] = Tally(votes)
        return kept

    @staticmethod
    def made(votes: VoteTable) -> bool:
        """Whether there is a tally of the table already."""
        return votes in _KEPT

    @staticmethod
    def by_item(votes: VoteTable) -> Tally:
        """The tally with one row for each of the table."""
        kept = _KEPT.get(votes)
        return Tally(votes, compress=False) if kept is None or kept.inverse is not None else kept

    def _describe_rows(self) -> None:
        column_class = np.tile(np.eye(self.n_classes), (self.n_annotators, 1))
        # By class: arithmetic along a short last axis starts a loop for each row.
        by_class = np.ascontiguousarray((self.one_hot @ column_class).reshape(self.n_rows, self.n_classes).T)
        total = by_class.sum(axis=0)
        covered = total > 0
        one_if_none = np.maximum(total, 1.0)
        self.weights: Floats = covered * (1.0 if self.multiplicity is None else self.multiplicity)
        sole = by_class.max(axis=0, initial=0.0) == total
        named = np.arange(self.n_classes) @ by_class / one_if_none
        self.unanimous: npt.NDArray[np.intp] = np.where(covered & sole, named, ABSTAIN).astype(np.intp)
        by_class /= one_if_none
        by_class[:, ~covered] = 1.0 / max(self.n_classes, 1)
        self.shares: Floats = np.ascontiguousarray(by_class.T)
        self.n_votes = self.total(total)
        self.is_plain = bool((self.weights == 1.0).all())

    def including(self, rows: npt.NDArray[np.bool_]) -> Tally:
        """The same, counting these rows too although nobody cast a vote there that names a class."""
        other = copy(self)
        other.weights = np.maximum(self.weights, rows * (1.0 if self.multiplicity is None else self.multiplicity))
        other.is_plain = bool((other.weights == 1.0).all())
        return other

    @property
    def n_items(self) -> float:
        """Number of items that the rows stand for, voted on or not."""
        return float(self.n_rows if self.multiplicity is None else self.multiplicity.sum())

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

    def blocks(self, n_states: int) -> list[Block]:
        """All rows, cut where so many states a row fill the cache; made once for as long as the tally lives."""
        if n_states not in self._blocks:
            self._blocks[n_states] = self._cut(self._rows_in_block(n_states))
        return self._blocks[n_states]

    def _rows_in_block(self, n_states: int) -> int:
        # Adding up the blocks' counts must cost less than counting: a block has as many votes as there are columns.
        votes_a_row = max(self.one_hot.nnz / max(self.n_rows, 1), 1.0)
        return max(CELLS_IN_CACHE // max(n_states, 1), int(self.one_hot.shape[1] / votes_a_row), 1)

    def _cut(self, n_rows: int) -> list[Block]:
        matrix, blocks = self.one_hot, []
        for start in range(0, self.n_rows, n_rows):
            rows = slice(start, min(start + n_rows, self.n_rows))
            first, last = matrix.indptr[rows.start], matrix.indptr[rows.stop]
            # All entries are 1: every block shares the first of them, which so stay in the cache.
            parts = (
                matrix.data[: last - first],
                matrix.indices[first:last],
                matrix.indptr[rows.start : rows.stop + 1] - first,
            )
            part = sparse.csr_array(parts, shape=(rows.stop - rows.start, matrix.shape[1]))
            blocks.append(Block(rows, part, part.T))
        return blocks

    def counts(self, posterior: Floats) -> Floats:
        """Expected votes `[j, l, s]`: label l by annotator j on items in state s, by a posterior over the rows."""
        weighted = posterior if self.is_plain else posterior * self.weights[:, None]
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


_KEPT: WeakKeyDictionary[VoteTable, Tally] = WeakKeyDictionary()
_SHORT: WeakKeyDictionary[VoteTable, VoteTable] = WeakKeyDictionary()


def shortest(votes: VoteTable) -> VoteTable:
    """The table by pattern where that pays, else itself; made once for as long as the table object lives."""
    kept = _SHORT.get(votes)
    if kept is not None:
        return kept
    if not pays_to_compress(votes):
        return votes
    short = _SHORT[votes] = votes.by_pattern()
    return short


def pays_to_compress(votes: VoteTable) -> bool:
    """Whether patterns lose nothing and are few: a dense enough table without repeated votes or probabilities."""
    cells = votes.n_items * votes.n_annotators
    if votes.soft or not 0 < cells <= DENSE_ENOUGH * max(votes.n_votes, votes.n_items):
        return False
    if "label" in votes.__dict__ and int(np.count_nonzero(votes.matrix != ABSTAIN)) != votes.n_votes:
        return False
    return len(votes.patterns.counts) <= WORTH_IT * votes.n_items


def _one_hot(votes: VoteTable) -> sparse.csr_array:
    rows, annotators, labels = votes.item_index, votes.annotator_index, votes.label
    cast = labels != ABSTAIN
    if not cast.all():
        rows, annotators, labels = rows[cast], annotators[cast], labels[cast]
    columns = annotators * np.int32(votes.n_classes) + labels
    # One entry a column, turned to rows: a counting sort by row that, unlike coo_array.tocsr, merges no duplicates.
    by_vote = sparse.csc_array(
        (columns, rows, np.arange(len(rows) + 1, dtype=np.int32)), shape=(votes.n_items, len(rows))
    )
    by_row = by_vote.tocsr()
    shape = (votes.n_items, votes.n_annotators * votes.n_classes)
    one_hot = sparse.csr_array((np.ones(len(rows)), by_row.data, by_row.indptr), shape=shape)
    one_hot.sort_indices()
    return one_hot


def _one_hot_of_matrix(matrix: npt.NDArray[np.int16], n_classes: int) -> sparse.csr_array:
    n_rows, n_annotators = matrix.shape
    cast = matrix != ABSTAIN
    starts = np.zeros(n_rows + 1, dtype=np.int32)
    np.cumsum(np.count_nonzero(cast, axis=1), out=starts[1:])
    columns = (np.arange(n_annotators, dtype=np.int32) * np.int32(n_classes) + matrix)[cast]
    return sparse.csr_array((np.ones(len(columns)), columns, starts), shape=(n_rows, n_annotators * n_classes))
