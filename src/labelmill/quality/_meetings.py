"""Two annotators on one item: how likely they were to give the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill.quality._peers import Peers

__all__ = ["FEW", "MOST_MEETINGS", "Meetings", "meetings_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_MEETINGS: Final = 4_000_000
"""Pairs of votes looked at: beyond that, those on some items drawn at random, which is plenty to tell copies by."""

FEW: Final = 5
"""Shared items below which a pair is not tested."""

OTHERS: Final = 200_000
"""Meetings of such pairs that are looked at, about."""

AT_ONCE: Final = 200_000


@dataclass(frozen=True)
class Meetings:
    """Pairs of votes of two people on one item.

    Parameters
    ----------
    pair : ndarray of int64, shape (n_meetings,)
        Lower annotator times the number of annotators plus the higher one.
    is_equal : ndarray of bool, shape (n_meetings,)
    chance : ndarray of float64, shape (n_meetings,)
        Probability that the second answers as the first did, by the others' votes and its own confusions.
    right : ndarray of float64, shape (n_meetings,)
        Probability that the first one's answer is right, by the others' votes.
    """

    pair: Ints
    is_equal: npt.NDArray[np.bool_]
    chance: Floats
    right: Floats

    def by_pair(self) -> tuple[Ints, Ints]:
        """The different pairs, ascending, and the place of each meeting among them."""
        pairs, place = np.unique(self.pair, return_inverse=True)
        return pairs, place.reshape(-1)


def meetings_of(peers: Peers, *, seed: int = 0) -> Meetings:
    """Meetings of people (and models) on all items, or on as many items as `MOST_MEETINGS` allows.

    Only pairs that share an item are ever visited.
    """
    votes = np.flatnonzero(~peers.habits.is_rule[peers.annotator])
    first, second = _pairs_within(peers.item[votes], peers.annotator[votes], seed)
    first, second = _telling(votes[first], votes[second], peers)
    parts = [
        _chances(peers, first[at : at + AT_ONCE], second[at : at + AT_ONCE]) for at in range(0, len(first), AT_ONCE)
    ]
    chance, right = (np.concatenate([part[i] for part in parts]) if parts else np.zeros(0) for i in (0, 1))
    pair = peers.annotator[first] * peers.n_annotators + peers.annotator[second]
    return Meetings(pair, peers.label[first] == peers.label[second], chance, right)


def _pairs_within(item: Ints, annotator: Ints, seed: int) -> tuple[Ints, Ints]:
    """Places of two votes on one item, the lower annotator's first; an annotator does not meet itself."""
    order = np.lexsort((annotator, item))
    items, start, size = np.unique(item[order], return_index=True, return_counts=True)
    start, size = _some(start, size, seed) if len(items) else (start, size)
    first, second = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for n in np.unique(size[size > 1]).tolist():
        low, high = np.triu_indices(n, 1)
        base = start[size == n][:, None]
        first.append(order[(base + low).reshape(-1)])
        second.append(order[(base + high).reshape(-1)])
    one, other = np.concatenate(first), np.concatenate(second)
    different = annotator[one] != annotator[other]
    return one[different], other[different]


def _some(start: Ints, size: Ints, seed: int) -> tuple[Ints, Ints]:
    """As many items as there is room for, drawn at random; all if they fit."""
    n_pairs = size * (size - 1) // 2
    if n_pairs.sum() <= MOST_MEETINGS:
        return start, size
    drawn = np.random.default_rng(seed).permutation(len(size))
    drawn = np.sort(drawn[np.cumsum(n_pairs[drawn]) <= MOST_MEETINGS])
    return start[drawn], size[drawn]


def _telling(first: Ints, second: Ints, peers: Peers) -> tuple[Ints, Ints]:
    """Meetings of pairs that meet often enough to be tested, and some others, which tell what is usual."""
    _, place, often = np.unique(
        peers.annotator[first] * peers.n_annotators + peers.annotator[second], return_inverse=True, return_counts=True
    )
    is_tested = often[place.reshape(-1)] >= FEW
    others = np.flatnonzero(~is_tested)
    kept = np.union1d(np.flatnonzero(is_tested), others[:: max(len(others) // OTHERS, 1)])
    return first[kept], second[kept]


def _chances(peers: Peers, first: Ints, second: Ints) -> tuple[Floats, Floats]:
    label = peers.label[first]
    said = peers.without(peers.item[first], peers.evidence[first] + peers.evidence[second])
    given = said * peers.habits.chances(peers.annotator[first], label)
    given /= given.sum(axis=1, keepdims=True)
    chance = np.einsum("mk,mk->m", given, peers.habits.chances(peers.annotator[second], label))
    return chance, np.take_along_axis(said, label[:, None], axis=1)[:, 0]
