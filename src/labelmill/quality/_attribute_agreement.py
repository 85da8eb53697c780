"""How far annotators agree on the attributes of shapes that they both drew."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.answers import AnswerTable
from labelmill.domain.attribute_merging import attribute_difference
from labelmill.domain.attributes import Attribute, seen_attributes
from labelmill.domain.matching import one_to_one
from labelmill.errors import UsageError
from labelmill.quality._draws import draws_of, interval

__all__ = ["agreement_on_attributes"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

MOST_PAIRS: Final = 20_000
"""Pairs of values, by anybody of any shape, from which chance is estimated; all of them where they are fewer."""

Shape = Mapping[str, Any]


class _Told(NamedTuple):
    """What both sides of matched pairs say of one attribute: item of each pair, and the two values."""

    item: Ints
    values: list[tuple[Any, Any]]


def agreement_on_attributes(
    answers: AnswerTable, *, n_resamples: int, confidence: float, seed: int
) -> list[dict[str, Any]]:
    r"""A row for each attribute: `attribute, n_pairs, percent, value, low, high`.

    The shapes of two answers on an item are matched one to one by the kind's distance, so that those of one class are
    compared that lie at the same place. Of the pairs in which both sides give the attribute, `percent` is 1 less the
    mean difference (`attribute_difference`), and `value` Krippendorff's :math:`1 - D_o / D_e`, with :math:`D_e` the
    mean difference of two values of any of these shapes. NaN where all values are equal, or none is given twice.

    Raises
    ------
    UsageError
        If no shape has attributes.
    """
    attributes = answers.attributes or seen_attributes(_given(answers))
    if not attributes:
        raise UsageError("by attribute needs shapes or regions with attributes: none of these answers has any")
    pairs = list(_matched(answers))
    n_items = len(answers.by_item)
    return [
        {
            "attribute": attribute.name,
            **_agreed(attribute, _told(attribute, pairs), n_items, n_resamples, confidence, seed),
        }
        for attribute in attributes
    ]


def _given(answers: AnswerTable) -> Iterator[Any]:
    for value in answers.values:
        if isinstance(value, list):
            yield from (shape.get("attributes") for shape in value if isinstance(shape, Mapping))


def _matched(answers: AnswerTable) -> Iterator[tuple[int, Shape, Shape]]:
    """Item, and two shapes of different answers that are of one class and meant to be the same."""
    distance = answers.kind.distance
    for item, positions in enumerate(answers.by_item):
        for a, b in combinations([answers.values[position] for position in positions.tolist()], 2):
            alike = np.array([[1.0 - distance([x], [y]) for y in b] for x in a]).reshape(len(a), len(b))
            yield from ((item, a[i], b[j]) for i, j in one_to_one(alike))


def _told(attribute: Attribute, pairs: Sequence[tuple[int, Shape, Shape]]) -> _Told:
    found = [
        (item, x["attributes"], y["attributes"]) for item, x, y in pairs if "attributes" in x and "attributes" in y
    ]
    both = [
        (item, (x[attribute.name], y[attribute.name]))
        for item, x, y in found
        if attribute.name in x and attribute.name in y
    ]
    return _Told(np.array([item for item, _ in both], dtype=np.intp), [values for _, values in both])


def _agreed(
    attribute: Attribute, told: _Told, n_items: int, n_resamples: int, confidence: float, seed: int
) -> dict[str, Any]:
    apart = np.array([attribute_difference(attribute, a, b) for a, b in told.values], dtype=np.float64)
    left, right, far = _chance(attribute, told, seed)

    def alpha(weight: Floats) -> float:
        shared, both = weight[told.item], weight[left] * weight[right]
        if not shared.sum() or not both @ far:
            return math.nan
        return float(1.0 - (shared @ apart / shared.sum()) / (both @ far / both.sum()))

    known = np.unique(told.item)
    rows = []
    for block in draws_of(np.ones(len(known), dtype=np.int64), n_resamples, seed):
        for drawn in block:
            weight = np.zeros(n_items)
            weight[known] = drawn
            rows.append(alpha(weight))
    (low,), (high,) = interval(np.array(rows, dtype=np.float64).reshape(-1, 1), confidence)
    percent = float(1.0 - apart.mean()) if len(apart) else math.nan
    return {
        "n_pairs": len(apart),
        "percent": percent,
        "value": alpha(np.ones(n_items)),
        "low": float(low),
        "high": float(high),
    }


def _chance(attribute: Attribute, told: _Told, seed: int) -> tuple[Ints, Ints, Floats]:
    """Items of both values of each of some pairs, and how far the two are apart."""
    values = [value for pair in told.values for value in pair]
    where = np.repeat(told.item, 2)
    n = len(values)
    if n * (n - 1) // 2 <= MOST_PAIRS:
        left, right = np.triu_indices(n, 1)
    else:
        draw = np.random.default_rng(seed)
        left = draw.integers(n, size=MOST_PAIRS)
        right = (left + draw.integers(1, n, size=MOST_PAIRS)) % n
    far = [
        attribute_difference(attribute, values[i], values[j])
        for i, j in zip(left.tolist(), right.tolist(), strict=True)
    ]
    return where[left], where[right], np.array(far, dtype=np.float64)
