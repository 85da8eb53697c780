"""People's answers held against each other, where an answer is a class or a set of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.vote_table import VoteTable

__all__ = ["ComparedClasses", "Shared", "compare_classes", "shared_items"]

Codes = npt.NDArray[np.int64]

NOTHING, RIGHT, WRONG = 0, 1, 2


class Shared(NamedTuple):
    """Items that the same number of people answered.

    `codes` and `users`, both of shape (n_items, n_answers), hold what was said (ascending) and by whom. `rows` are the
    different rows of `codes`, `counts` how many items have each, `which`, shape (n_items,), the row of each item.
    """

    codes: Codes
    users: Codes
    rows: Codes
    counts: Codes
    which: Codes


class ComparedClasses(NamedTuple):
    """What comparing gives.

    Parameters
    ----------
    against_others : dict of int to (int, int)
        User -> items on which most others say the same, and items on which most others say something.
    confusion : ndarray of int64, shape (n_labels, n_labels)
        Pairs of answers of different people on one item: row the one's, column the other's, both ways.
    table : VoteTable
        The same answers for `labelmill.quality.agreement`: items with the same answers stand together, and seats for
        people, for whom agreement does not ask.
    """

    against_others: dict[int, tuple[int, int]]
    confusion: npt.NDArray[np.int64]
    table: VoteTable


def shared_items(items: Codes, users: Codes, codes: Codes) -> Iterator[Shared]:
    """Items with two answers and more, by their number of answers; negative codes are abstentions, and left out.

    Parameters
    ----------
    items, users, codes : ndarray of int64, shape (n_answers,)
    """
    spoken = codes >= 0
    items, users, codes = items[spoken], users[spoken], codes[spoken]
    order = np.lexsort((users, codes, items))
    items, users, codes = items[order], users[order], codes[order]
    starts = np.flatnonzero(np.r_[True, items[1:] != items[:-1]]) if len(items) else np.zeros(0, dtype=np.intp)
    sizes = np.diff(np.r_[starts, len(items)])
    for size in sorted(set(sizes.tolist()) - {1}):
        places = starts[sizes == size][:, None] + np.arange(size)
        rows, which, counts = np.unique(codes[places], axis=0, return_inverse=True, return_counts=True)
        yield Shared(codes[places], users[places], rows, counts, which.reshape(-1))


def compare_classes(items: Codes, users: Codes, codes: Codes, labels: Sequence[str]) -> ComparedClasses:
    """Hold everybody against everybody else who answered the same item; see `shared_items`.

    Parameters
    ----------
    labels : sequence of str
        What each code stands for.
    """
    n_labels, n_users = len(labels), int(users.max(initial=-1)) + 1
    confusion = np.zeros((n_labels, n_labels), dtype=np.int64)
    right, compared = np.zeros(n_users, dtype=np.int64), np.zeros(n_users, dtype=np.int64)
    rows: list[tuple[list[int], int]] = []
    for shared in shared_items(items, users, codes):
        verdicts = np.array([_verdicts(row) for row in shared.rows.tolist()])[shared.which]
        right += np.bincount(shared.users[verdicts == RIGHT], minlength=n_users)
        compared += np.bincount(shared.users[verdicts != NOTHING], minlength=n_users)
        for row, count in zip(shared.rows.tolist(), shared.counts.tolist(), strict=True):
            _confuse(confusion, row, count)
            rows.append((row, count))
    found = {int(user): (int(right[user]), int(compared[user])) for user in np.flatnonzero(compared)}
    return ComparedClasses(found, confusion, _table(rows, labels))


def _verdicts(row: Sequence[int]) -> list[int]:
    """For each answer on an item: whether most of the others say the same."""
    counts, found = Counter(row), []
    for code in row:
        others = counts.copy()
        others[code] -= 1
        (best, n), *rest = others.most_common(2)
        is_open = n == 0 or (bool(rest) and rest[0][1] == n)
        found.append(NOTHING if is_open else RIGHT if best == code else WRONG)
    return found


def _confuse(confusion: npt.NDArray[np.int64], row: Sequence[int], times: int) -> None:
    counts = Counter(row).items()
    for one, n in counts:
        for other, m in counts:
            confusion[one, other] += times * (n * (n - 1) if one == other else n * m)


def _table(rows: Sequence[tuple[list[int], int]], labels: Sequence[str]) -> VoteTable:
    ends = np.cumsum([0, *(len(row) for row, _ in rows)])
    seats = [seat for start, end in pairwise(ends.tolist()) for seat in range(end - start)]
    return VoteTable(
        [str(place) for place in range(len(rows))],
        [f"seat {seat}" for seat in range(max(seats, default=-1) + 1)],
        tuple(labels),
        np.repeat(np.arange(len(rows)), np.diff(ends)),
        seats,
        [code for row, _ in rows for code in row],
        multiplicity=[count for _, count in rows],
    )
