"""What is known beforehand: gold answers, and what annotators did before. It counts in every step of learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._tally import Floats
from labelmill.domain.history import History
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.sums import Rounds, Sums
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import UsageError, nearest

__all__ = ["Known", "TakesKnown", "informed", "set_apart"]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Votes on items whose class is known.

    Parameters
    ----------
    votes : ndarray of float64, shape (n_annotators, n_classes, n_classes)
        `[j, l, k]`: label l by annotator j on items of class k.
    items : ndarray of float64, shape (n_classes,)
        Items of each class that belong to what is learned from; those of earlier work are not among them, since its
        class balance may have been another.
    """

    votes: Floats
    items: Floats

    def spread(self, shares: Floats) -> tuple[Floats, Floats]:
        """Votes and items over the parts of classes, `shares` [k, s] each row summing to 1."""
        return np.asarray(self.votes @ shares), np.asarray(self.items @ shares)

    def added(self, sums: Sums) -> Sums:
        """Sums whose first two arrays are votes `[j, l, k]` and items `[k]`, with these counted in."""
        votes, items, *rest = sums.arrays
        return Sums((votes + self.votes, items + self.items, *rest), sums.most)


@runtime_checkable
class TakesKnown(Protocol):
    """A question whose answer can count in what is known."""

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """The sums over all shards, and what they would be more with the known votes among them."""


def informed(learning: Rounds[None], known: Known | None) -> Rounds[None]:
    """The same learning, with what is known counted in at every step.

    A vote on a known item enters the M-step with its true class, and not a prior at the start only, which the first
    M-step would forget.
    """
    if known is None:
        yield from learning
        return
    ask = next(learning, None)
    while ask is not None:
        sums = yield ask
        try:
            ask = learning.send(ask.with_known(sums, known) if isinstance(ask, TakesKnown) else sums)
        except StopIteration:
            return


def set_apart(
    table: VoteTable, gold: Mapping[str, str] | None, history: History | None
) -> tuple[VoteTable, Known | None]:
    """The items that are not gold, and what is known: None where that is nothing.

    Raises
    ------
    UsageError
        If a gold answer is no class.
    """
    past = None if history is None else history.counts(table.annotators, table.classes)
    answers = gold_classes(table, gold) if gold else np.full(table.n_items, ABSTAIN)
    is_gold = answers != ABSTAIN
    if not is_gold.any():
        return table, None if past is None else Known(past, np.zeros(table.n_classes))
    times = np.ones(table.n_items) if table.multiplicity is None else table.multiplicity.astype(np.float64)
    cast = (table.label != ABSTAIN) & is_gold[table.item_index]
    item = table.item_index[cast]
    votes = np.zeros((table.n_annotators, table.n_classes, table.n_classes)) if past is None else past
    np.add.at(votes, (table.annotator_index[cast], table.label[cast], answers[item]), times[item])
    voted = is_gold & table.has_votes
    items = np.bincount(answers[voted], times[voted], minlength=table.n_classes).astype(np.float64)
    return rows_where(table, ~is_gold), Known(votes, items)


def gold_classes(table: VoteTable, gold: Mapping[str, str]) -> npt.NDArray[np.int64]:
    """Class index of each item's gold answer, (n_items,); ABSTAIN where there is none."""
    place = {name: k for k, name in enumerate(table.classes)}
    for name in set(gold.values()) - set(place):
        raise UsageError(f"unknown class {name!r} among the gold answers: {nearest(name, table.classes)}")
    return np.array([place[gold[item]] if item in gold else ABSTAIN for item in table.items], dtype=np.int64)


def rows_where(table: VoteTable, kept: npt.NDArray[np.bool_]) -> VoteTable:
    """The table with these items only."""
    rows = np.flatnonzero(kept)
    position = np.full(table.n_items, -1, dtype=np.int32)
    position[rows] = np.arange(len(rows), dtype=np.int32)
    mine = kept[table.item_index]
    soft: dict[int, npt.NDArray[np.floating[Any]]] = {j: p[rows] for j, p in table.soft.items()}
    return VoteTable(
        [table.items[i] for i in rows.tolist()],
        table.annotators,
        table.classes,
        position[table.item_index[mine]],
        table.annotator_index[mine],
        table.label[mine],
        kinds=table.kinds,
        soft=soft,
        multiplicity=None if table.multiplicity is None else table.multiplicity[rows],
    )
