"""A part of the items that stands for all: the same ones however the votes are sharded or ordered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._known import Known, TakesKnown
from labelmill.aggregation._vote_keys import vote_keys
from labelmill.domain.sums import Ask, Rounds, Sums
from labelmill.domain.vote_table import VoteTable

__all__ = ["OfSample", "Sample", "within_sample"]

T = TypeVar("T")

ENOUGH = 150_000
"""Distinct rows of votes: precisions of rules are known to a third of a percent from a tenth of them."""
LARGE = 2 * ENOUGH
"""Up to so many items, or distinct rows of votes, all are worked on."""
N_BUCKETS = 2**18
OFTEN = 4.0
"""A bucket with so many times as many items as buckets have in the mean holds votes that many items got."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One in so many of the items, told by who gave them which label, by name.

    Neither ids nor orders matter, nor which shard an item is in. Votes that many items got all count, so that no such
    pattern is in or out by chance; of the others those kept stand for the rest. Rows are distinct rows of votes with
    their multiplicity, and sums over them estimate the sums over all items.

    Parameters
    ----------
    one_in : int
        Of rare votes one in so many is kept.
    frequent : bytes
        The buckets of frequent votes, as ascending uint32.
    """

    one_in: int
    frequent: bytes

    @classmethod
    def learning(cls) -> Rounds[Self | None]:
        """Ask how many items there are and, where they are many, which votes are frequent.

        None where all are worked on: few items, or few distinct rows of votes among them.
        """
        (size,) = (yield _items).arrays
        if size[0] <= LARGE:
            return None
        (counts,) = (yield _buckets).arrays
        empty = float((counts == 0).mean())
        n_distinct = -N_BUCKETS * np.log(empty) if empty > 0 else np.inf
        if n_distinct <= LARGE:
            return None
        is_frequent = counts > OFTEN * counts.mean()
        rare = min(size[0] * float(counts[~is_frequent].sum() / counts.sum()), n_distinct)
        return cls(max(int(np.ceil(rare / ENOUGH)), 1), np.flatnonzero(is_frequent).astype(np.uint32).tobytes())

    def of(self, votes: VoteTable) -> VoteTable:
        """The sample of the table, made once for as long as the table object lives."""
        kept = _KEPT.get(votes)
        if kept is None or kept[0] != self:
            kept = _KEPT[votes] = (self, self._drawn(votes))
        return kept[1]

    def _drawn(self, votes: VoteTable) -> VoteTable:
        keys = vote_keys(votes)
        is_frequent = np.zeros(N_BUCKETS, dtype=np.bool_)
        is_frequent[np.frombuffer(self.frequent, dtype=np.uint32)] = True
        often = is_frequent[_bucket(keys)]
        kept = np.flatnonzero(often | ((keys >> np.uint64(32)) % np.uint64(self.one_in) == 0))
        times = np.where(often[kept], 1, self.one_in)
        if votes.multiplicity is not None:
            times = times * votes.multiplicity[kept]
        _, first, which = np.unique(keys[kept], return_index=True, return_inverse=True)
        return _rows_of(votes, kept[first], np.bincount(which, times).astype(np.int64))


@dataclass(frozen=True, slots=True)
class OfSample:
    """Asks the sample what would be asked of all."""

    ask: Ask
    sample: Sample

    def __call__(self, votes: VoteTable, /) -> Sums:
        """The answer of the sample."""
        return self.ask(self.sample.of(votes))

    def with_known(self, sums: Sums, known: Known) -> Sums:
        """What is known counts as it does in the question."""
        return self.ask.with_known(sums, known) if isinstance(self.ask, TakesKnown) else sums


def within_sample(learning: Rounds[T], sample: Sample | None) -> Rounds[T]:
    """The same learning, asking the sample; all items where there is none."""
    if sample is None:
        return (yield from learning)
    sums: Sums | None = None
    while True:
        try:
            ask = learning.send(sums)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration as end:
            found: T = end.value
            return found
        sums = yield OfSample(ask, sample)


_KEPT: WeakKeyDictionary[VoteTable, tuple[Sample, VoteTable]] = WeakKeyDictionary()


def _items(votes: VoteTable, /) -> Sums:
    """How many items there are in the shard."""
    return Sums((np.array([float(votes.total_items)]),))


def _buckets(votes: VoteTable, /) -> Sums:
    """Items of the shard in each bucket."""
    counts = np.bincount(_bucket(vote_keys(votes)), votes.multiplicity, minlength=N_BUCKETS)
    return Sums((counts.astype(np.float64),))


def _bucket(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return (keys & np.uint64(N_BUCKETS - 1)).astype(np.int64)


def _rows_of(votes: VoteTable, rows: npt.NDArray[np.intp], times: npt.NDArray[np.int64]) -> VoteTable:
    """These rows of the table, each standing for so many items; probabilities are left out."""
    if "matrix" in votes.__dict__:
        names = (votes.classes, votes.annotators, votes.kinds)
        return VoteTable.from_matrix(
            votes.matrix[rows], classes=names[0], annotators=names[1], kinds=names[2], multiplicity=times
        )
    position = np.full(votes.n_items, -1, dtype=np.int32)
    position[rows] = np.arange(len(rows), dtype=np.int32)
    at = position[votes.item_index]
    mine = at >= 0
    return VoteTable(
        [""] * len(rows),
        votes.annotators,
        votes.classes,
        at[mine],
        votes.annotator_index[mine],
        votes.label[mine],
        kinds=votes.kinds,
        multiplicity=times,
    )
