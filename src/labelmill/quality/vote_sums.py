"""Votes summed over items: all that an analysis rests on, made of parts of a table as of the whole."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.sums import Sums
from labelmill.domain.vote_table import VoteTable
from labelmill.quality._units import Units, units_of

__all__ = ["MOST_PAIRED", "VoteSums", "vote_sums"]

MOST_PAIRED: Final = 200
"""Above so many annotators no matrix of pairs is made: nobody could read it."""


class VoteSums(NamedTuple):
    """Counts of items; those of parts add up to those of the whole.

    Parameters
    ----------
    items : ndarray of float64, shape (4,)
        All; those with a vote; with two or more; with two different ones.
    annotators : ndarray of float64, shape (5, n_annotators)
        Items each voted on; those with other votes too, and with different ones; votes that equal the truth, and votes
        on items whose truth is known.
    named : ndarray of float64, shape (n_annotators, n_classes)
        Votes of each annotator for each class.
    pairs : ndarray of float64, shape (2, n_annotators, n_annotators) or (2, 0, 0)
        Items both voted on, and items on which they agree; empty above 200 annotators.
    """

    items: npt.NDArray[np.float64]
    annotators: npt.NDArray[np.float64]
    named: npt.NDArray[np.float64]
    pairs: npt.NDArray[np.float64]

    @property
    def n_items(self) -> int:
        """Number of items."""
        return int(self.items[0])

    @property
    def per_class(self) -> npt.NDArray[np.float64]:
        """Shape (n_classes,): votes for each class."""
        return np.asarray(self.named.sum(axis=0))


def vote_sums(votes: VoteTable, truth: npt.NDArray[np.int16] | None = None) -> Sums:
    """The sums of a table, as `VoteSums(*sums.arrays)` reads them; `Sums.merged` adds those of two parts.

    Parameters
    ----------
    votes : VoteTable
        A row with a multiplicity counts as often as it says.
    truth : ndarray of int, shape (n_items,), optional
        Class index of each row's items, ABSTAIN (-1) where it is not known.
    """
    units = units_of(votes)
    n_unit, is_mixed = _votes_per_unit(units)
    shares = [units.weight[which].sum() for which in (n_unit > 0, n_unit > 1, is_mixed)]
    items = np.array([votes.total_items, *shares], dtype=np.float64)
    right = known = np.zeros(votes.n_annotators)
    if truth is not None:
        right, known = units.compared_with(truth, votes.n_classes)
    annotators = [units.per_annotator(), *(units.per_annotator(n[units.unit]) for n in (n_unit > 1, is_mixed))]
    pairs: Any = units.pairs() if votes.n_annotators <= MOST_PAIRED else np.zeros((2, 0, 0))
    return Sums(
        (
            items,
            np.stack([*annotators, right, known]),
            units.named_classes(votes.n_classes),
            np.asarray(pairs, dtype=np.float64),
        )
    )


def _votes_per_unit(units: Units) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Number of votes of each unit, and whether they differ: then, and only then, its labels have a variance."""
    n = np.bincount(units.unit, minlength=units.n_units)
    label = units.label.astype(np.float64)
    total = np.bincount(units.unit, weights=label, minlength=units.n_units)
    squares = np.bincount(units.unit, weights=label * label, minlength=units.n_units)
    return n, n * squares != total * total
