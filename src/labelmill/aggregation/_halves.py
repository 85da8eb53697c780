"""Half of the items, and the other half: the same ones however the votes are sharded, ordered or counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._vote_keys import vote_keys
from labelmill.domain.sums import Ask, Rounds, Sums
from labelmill.domain.vote_table import VoteTable

__all__ = ["Halves", "OfHalf"]

N_BUCKETS = 2**20
"""Two items fall into one by chance once in so many times; they are then taken for items with the same votes."""


@dataclass(frozen=True, slots=True)
class Halves:
    """A table in two: which half an item belongs to follows from who gave it which label, by name.

    So neither ids nor orders matter, nor which shard an item is in. Of items with the same votes half should lie in
    each; as nothing tells them apart, each lies in both and counts for one half. Multiplicities are twice what they
    should be, so that they are whole numbers.

    Parameters
    ----------
    repeated : bytes
        The buckets that hold more than one item, as ascending uint32.
    """

    repeated: bytes

    @classmethod
    def learning(cls) -> Rounds[Self]:
        """Ask which votes are repeated."""
        (counts,) = (yield _buckets).arrays
        return cls(np.flatnonzero(counts > 1).astype(np.uint32).tobytes())

    def of(self, votes: VoteTable) -> tuple[VoteTable, VoteTable]:
        """Both halves, made once for as long as the table object lives."""
        kept = _KEPT.get(votes)
        if kept is None or kept[0] != self.repeated:
            keys = vote_keys(votes)
            twice = np.isin(_bucket(keys), np.frombuffer(self.repeated, dtype=np.uint32))
            side = keys & np.uint64(1)
            halves = (_rows(votes, twice | (side == 0), twice), _rows(votes, twice | (side == 1), twice))
            kept = _KEPT[votes] = (self.repeated, halves)
        return kept[1]


@dataclass(frozen=True, slots=True)
class OfHalf:
    """Asks one half of the items, 0 or 1."""

    ask: Ask
    halves: Halves
    which: int

    def __call__(self, votes: VoteTable, /) -> Sums:
        """The answer of the half."""
        arrays, most = self.ask(self.halves.of(votes)[self.which])
        return Sums(tuple(0.5 * array for array in arrays), most)


_KEPT: WeakKeyDictionary[VoteTable, tuple[bytes, tuple[VoteTable, VoteTable]]] = WeakKeyDictionary()


def _buckets(votes: VoteTable, /) -> Sums:
    """How many items of the shard there are in each bucket."""
    return Sums((np.bincount(_bucket(vote_keys(votes)), votes.multiplicity, minlength=N_BUCKETS).astype(np.float64),))


def _bucket(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return ((keys >> np.uint64(1)) % np.uint64(N_BUCKETS)).astype(np.int64)


def _rows(votes: VoteTable, kept: npt.NDArray[np.bool_], twice: npt.NDArray[np.bool_]) -> VoteTable:
    rows = np.flatnonzero(kept)
    position = np.full(votes.n_items, -1, dtype=np.int32)
    position[rows] = np.arange(len(rows), dtype=np.int32)
    mine = kept[votes.item_index]
    return VoteTable(
        [""] * len(rows),
        votes.annotators,
        votes.classes,
        position[votes.item_index[mine]],
        votes.annotator_index[mine],
        votes.label[mine],
        kinds=votes.kinds,
        multiplicity=(np.where(twice, 1, 2) * (1 if votes.multiplicity is None else votes.multiplicity))[rows],
    )
