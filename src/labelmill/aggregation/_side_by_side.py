"""Several learnings at once: in each round the questions of all travel together."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

import numpy as np

from labelmill.domain.sums import Ask, Rounds, Sums
from labelmill.domain.vote_table import VoteTable

__all__ = ["side_by_side"]

T = TypeVar("T")


def side_by_side(learnings: Mapping[str, Generator[Ask, Sums, T]]) -> Rounds[dict[str, T]]:
    """What each learning returns, by name; as many rounds as the longest of them takes."""
    found: dict[str, T] = {}
    asks: dict[str, Ask] = {}

    def advance(name: str, sums: Sums | None) -> None:
        try:
            asks[name] = learnings[name].send(sums)  # type: ignore[arg-type]  # None starts a generator
        except StopIteration as end:
            asks.pop(name, None)
            found[name] = end.value

    for name in learnings:
        advance(name, None)
    while asks:
        names = tuple(asks)
        answer = yield _Together(tuple(asks.values()))
        sizes, *arrays = answer.arrays
        n_shards = float(sizes[-1])
        ends = list(accumulate(round(float(size) / n_shards) for size in sizes[:-1]))
        for name, start, end in zip(names, [0, *ends], ends, strict=False):
            advance(name, Sums(tuple(arrays[start:end]), answer.most))
    return {name: found[name] for name in learnings}


@dataclass(frozen=True, slots=True)
class _Together:
    """Asks several things at once.

    In front of the answers stands the number of arrays of each, and one for the shard. `most` is the largest of all,
    so that nobody stops too soon.
    """

    asks: tuple[Ask, ...]

    def __call__(self, votes: VoteTable, /) -> Sums:
        answers = [ask(votes) for ask in self.asks]
        sizes = np.array([*(len(answer.arrays) for answer in answers), 1], dtype=np.float64)
        arrays = tuple(array for answer in answers for array in answer.arrays)
        return Sums((sizes, *arrays), max((answer.most for answer in answers), default=0.0))
