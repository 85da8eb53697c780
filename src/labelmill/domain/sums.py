"""Learning by rounds: questions to every shard of the votes, answered by sums."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.vote_table import VoteTable

__all__ = ["Ask", "Rounds", "Sums", "drive"]

T = TypeVar("T")


class Sums(NamedTuple):
    """What one shard answers: small whatever its size.

    `arrays` are merged by addition, element by element, `most` by maximum. Merging in the same order gives the same
    bits; another order may change the last ones.
    """

    arrays: tuple[npt.NDArray[np.float64], ...]
    most: float = 0.0

    def merged(self, other: Sums) -> Sums:
        """The answer of both shards together."""
        arrays = tuple(a + b for a, b in zip(self.arrays, other.arrays, strict=True))
        return Sums(arrays, max(self.most, other.most))


class Ask(Protocol):
    """A question to one shard of the items; travels to workers by pickle.

    The shard's annotators, classes and kinds are those of the whole, in the same order. What is costly to find out
    about a shard is kept as long as the table object lives: a worker that keeps its tables answers sooner.
    """

    def __call__(self, votes: VoteTable, /) -> Sums:
        """The shard's share of the sums."""


Rounds = Generator[Ask, Sums, T]
"""Yields what must be summed over all items, is sent the sums, returns what it learned."""


def drive(rounds: Generator[Ask, Sums, T], answer: Callable[[Ask], Sums]) -> T:
    """Answer every question of `rounds` and return what it returns.

    Examples
    --------
    >>> def mean_votes() -> Rounds[float]:
    ...     votes, items = (yield lambda shard: Sums((np.array(shard.n_votes), np.array(shard.n_items)))).arrays
    ...     return float(votes / items)
    >>> table = VoteTable.from_matrix([[0, 1], [1, -1]], classes=("a", "b"))
    >>> drive(mean_votes(), lambda ask: ask(table).merged(ask(table)))
    1.5
    """
    sums: Any = None
    while True:
        try:
            ask = rounds.send(sums)
        except StopIteration as end:
            learned: T = end.value
            return learned
        sums = answer(ask)
