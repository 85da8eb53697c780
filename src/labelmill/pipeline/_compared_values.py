"""People's answers held against each other, where an answer is shapes, spans, a number or a text: by distance."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.ports import LabelKind
from labelmill.stores.database.figures import Compared

__all__ = ["ComparedValues", "Nearness", "compare_values", "items_to_compare"]

MOST_ITEMS: Final = 400
"""Newest items whose answers are compared: a distance of shapes costs what thousands of classes cost."""

N_DRAWS: Final = 400


class Nearness(NamedTuple):
    """A mean of 1 less the distance, with the interval of draws of items; None without any."""

    value: float | None
    low: float | None
    high: float | None
    n_items: int


class ComparedValues(NamedTuple):
    """What comparing gives.

    Parameters
    ----------
    all : Nearness
        Over all pairs of answers on one item, each item once.
    by_user : dict of int to Nearness
        Of each to the others.
    apart : dict of (int, int) to (float, int)
        Two users, the smaller number first -> mean distance, and items that both answered.
    classes : dict of str to int
        Elements of each class in these answers.
    """

    all: Nearness
    by_user: dict[int, Nearness]
    apart: dict[tuple[int, int], tuple[float, int]]
    classes: dict[str, int]


def items_to_compare(items: npt.NDArray[np.int64], most: int = MOST_ITEMS) -> list[int]:
    """The newest items that two people answered, filled up with others; `items` has one entry an answer."""
    numbers, counts = np.unique(items, return_counts=True)
    shared, alone = numbers[counts > 1][::-1][:most], numbers[counts == 1][::-1]
    return [int(number) for number in (*shared, *alone[: most - len(shared)])]


def compare_values(answers: Sequence[Compared], kind: LabelKind, *, seed: int = 0) -> ComparedValues:
    """Hold everybody against everybody else who answered the same item.

    Parameters
    ----------
    answers : sequence of Compared
        At most one of a user on an item.
    seed : int
        Of the draws.
    """
    by_item: dict[int, dict[int, Any]] = defaultdict(dict)
    for answer in answers:
        if answer.value is not None:
            by_item[answer.item][answer.user] = answer.value
    near, near_of = list[float](), defaultdict[int, list[float]](list)
    apart: dict[tuple[int, int], list[float]] = defaultdict(list)
    for said in by_item.values():
        of_item: dict[int, list[float]] = defaultdict(list)
        for one, other in combinations(sorted(said), 2):
            distance = kind.distance(said[one], said[other])
            apart[one, other].append(distance)
            of_item[one].append(1 - distance)
            of_item[other].append(1 - distance)
        for user, values in of_item.items():
            near_of[user].append(math.fsum(values) / len(values))
        if of_item:
            near.append(math.fsum(v for values in of_item.values() for v in values) / _count(of_item))
    return ComparedValues(
        _nearness(near, seed),
        {user: _nearness(values, seed) for user, values in near_of.items()},
        {pair: (math.fsum(far) / len(far), len(far)) for pair, far in apart.items()},
        _classes(answers),
    )


def _count(of_item: Mapping[int, Sequence[float]]) -> int:
    return sum(map(len, of_item.values()))


def _nearness(values: Sequence[float], seed: int) -> Nearness:
    """Percentiles of means of draws; one item alone has no spread to show."""
    if not values:
        return Nearness(None, None, None, 0)
    given = np.array(values)
    mean = float(given.mean())
    if len(given) == 1:
        return Nearness(mean, None, None, 1)
    draws = np.random.default_rng(seed).integers(len(given), size=(N_DRAWS, len(given)))
    low, high = np.quantile(given[draws].mean(axis=1), [0.025, 0.975])
    return Nearness(mean, float(low), float(high), len(given))


def _classes(answers: Sequence[Compared]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for one in answers:
        for element in one.value if isinstance(one.value, list) else [one.value]:
            name = element.get("label") if isinstance(element, Mapping) else element
            if isinstance(name, str):
                counts[name] += 1
    return counts
