"""Several versions of a text laid side by side, word by word."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["Slot", "best", "lattice", "vote"]

Slot = list[str | None]
"""What each version has at one place; None: nothing."""

EPSILON = 1e-9
"""Sums of the same weights in another order are the same."""


def lattice(versions: Sequence[Sequence[str]]) -> list[Slot]:
    """A slot for each place; version v reads `[slot[v] for slot in slots if slot[v] is not None]`.

    Each version is aligned with the slots made so far at the least cost: 1 for a slot or a word left alone, and for a
    word in a slot the share of the versions that have another word there, or none. The progressive alignment of ROVER
    (Fiscus, J. 1997. A post-processing system to yield reduced word error rates, doi:10.1109/ASRU.1997.659110), whose
    cost is 0 if any version has the word: the share keeps words from drifting into slots of rare ones. Put the best
    version first.

    Examples
    --------
    >>> lattice([["a", "c"], ["a", "b", "c"]])
    [['a', 'a'], [None, 'b'], ['c', 'c']]
    """
    slots: list[Slot] = [[word] for word in versions[0]] if versions else []
    for n, version in enumerate(versions[1:], 1):
        slots = _added(slots, version, n)
    return slots


def _added(slots: list[Slot], version: Sequence[str], n: int) -> list[Slot]:
    """The slots with one more version; n versions are in them."""
    columns = len(version) + 1
    cost = [[0.0] * columns for _ in range(len(slots) + 1)]
    move = [[""] + ["word"] * (columns - 1)] + [["slot"] + [""] * (columns - 1) for _ in slots]
    cost[0] = [float(j) for j in range(columns)]
    for i, slot in enumerate(slots, 1):
        shares = {word: slot.count(word) / n for word in slot if word is not None}
        skip = 1.0 - slot.count(None) / n
        above, row = cost[i - 1], cost[i]
        row[0] = above[0] + skip
        for j, word in enumerate(version, 1):
            choices = (
                (above[j - 1] + 1.0 - shares.get(word, 0.0), "both"),
                (above[j] + skip, "slot"),
                (row[j - 1] + 1.0, "word"),
            )
            least = min(choice[0] for choice in choices) + EPSILON
            row[j], move[i][j] = next(choice for choice in choices if choice[0] <= least)
    return _walk(slots, version, n, move)


def _walk(slots: list[Slot], version: Sequence[str], n: int, move: list[list[str]]) -> list[Slot]:
    i, j = len(slots), len(version)
    merged: list[Slot] = []
    while i or j:
        step = move[i][j]
        old: Slot = [None] * n if step == "word" else slots[i - 1]
        merged.append([*old, None if step == "slot" else version[j - 1]])
        i, j = i - (step != "word"), j - (step != "slot")
    return merged[::-1]


def vote(slot: Slot, weights: Sequence[float]) -> dict[str | None, float]:
    """Sum of the weights of each word in the slot, and of nothing, in the order of the versions."""
    shares: dict[str | None, list[float]] = {}
    for word, weight in zip(slot, weights, strict=True):
        shares.setdefault(word, []).append(weight)
    return {word: math.fsum(parts) for word, parts in shares.items()}


def best(sums: dict[str | None, float]) -> str | None:
    """The word with the greatest sum; of equal ones the first, and any word before nothing."""
    most = max(sums.values()) - EPSILON
    winners = [word for word, total in sums.items() if total >= most]
    return next((word for word in winners if word is not None), None)
