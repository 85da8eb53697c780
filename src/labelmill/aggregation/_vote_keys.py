"""A number for each item that follows from its votes: who gave which label, by name."""

from __future__ import annotations

from hashlib import blake2b
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._lookup import Lookup, is_dense
from labelmill.domain.schema import ABSTAIN
from labelmill.domain.vote_table import VoteTable

__all__ = ["vote_keys"]

Keys = npt.NDArray[np.uint64]


def vote_keys(votes: VoteTable) -> Keys:
    """A number for each row, (n_items,): equal for equal votes, whatever the ids and the orders are.

    Made once for as long as the table object lives.
    """
    keys = _KEPT.get(votes)
    if keys is None:
        keys = _KEPT[votes] = _stirred(_sums_of_matrix(votes) if is_dense(votes) else _sums_of_votes(votes))
    return keys


_KEPT: WeakKeyDictionary[VoteTable, Keys] = WeakKeyDictionary()


def _each_vote(votes: VoteTable) -> Keys:
    """A number for each annotator and label, (n_annotators, n_classes)."""
    annotators, classes = _hashes(votes.annotators), _hashes(votes.classes)
    return _stirred(annotators[:, None] ^ _stirred(classes))


def _sums_of_votes(votes: VoteTable) -> Keys:
    cast = votes.label != ABSTAIN
    each = _each_vote(votes)[votes.annotator_index[cast], votes.label[cast]]
    sums = np.zeros(votes.n_items, dtype=np.uint64)
    np.add.at(sums, votes.item_index[cast], each)  # wraps around: the order of the votes does not matter
    return sums


def _sums_of_matrix(votes: VoteTable) -> Keys:
    each = np.concatenate([np.zeros((votes.n_annotators, 1), dtype=np.uint64), _each_vote(votes)], axis=1)
    lookup = Lookup(votes.n_annotators, votes.n_classes)
    tables = lookup.tables(each, np.add)
    sums = np.zeros(votes.n_items, dtype=np.uint64)
    for rows, numbers in lookup.blocks(votes.matrix):
        for table, number in zip(tables, numbers, strict=True):
            sums[rows] += table[number]
    return sums


def _hashes(names: tuple[str, ...]) -> Keys:
    digests = [blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in names]
    return np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)


def _stirred(keys: Keys) -> Keys:
    """The finaliser of MurmurHash3 (Appleby), which is in the public domain."""
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return keys ^ (keys >> np.uint64(33))
