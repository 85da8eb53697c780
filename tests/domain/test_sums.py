"""Facts about `labelmill.domain.sums`."""

from __future__ import annotations

import numpy as np

from labelmill.domain.sums import Rounds, Sums, drive
from labelmill.domain.vote_table import VoteTable

NO_VOTES = VoteTable([], [], (), [], [], [])


def test_arrays_are_added_and_the_largest_is_kept() -> None:
    """Two shards together: sums of the arrays, the larger of both numbers."""
    first, second = Sums((np.array([1.0, 2.0]), np.array(3.0)), 0.5), Sums((np.array([10.0, 0.0]), np.array(1.0)), 0.25)

    merged = first.merged(second)

    assert [array.tolist() for array in merged.arrays] == [[11.0, 2.0], 4.0]
    assert merged.most == 0.5


def test_rounds_are_driven_to_their_end() -> None:
    """Each question gets its answer, and what the rounds return is handed out."""

    def ask(_: VoteTable, /) -> Sums:
        return Sums((np.array(2.0),))

    def rounds() -> Rounds[float]:
        total = 0.0
        for _ in range(3):
            total += float((yield ask).arrays[0])
        return total

    assert drive(rounds(), lambda asked: asked(NO_VOTES)) == 6.0


def test_rounds_without_questions_end_at_once() -> None:
    """What is known beforehand needs no shard."""

    def rounds() -> Rounds[str]:
        yield from ()
        return "known"

    assert drive(rounds(), lambda asked: asked(NO_VOTES)) == "known"
