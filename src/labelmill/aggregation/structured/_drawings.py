"""The shapes of all answers as columns, and which of them are drawings of the same object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.answers import AnswerTable
from labelmill.domain.clusters import one_of_each

__all__ = ["Drawings", "Grouped", "Similarity", "drawings_of", "grouped", "joined", "members_of", "summed"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Shape = Mapping[str, Any]

Similarity = Callable[[Sequence[Shape], Mapping[str, Any]], Floats]
"""How alike the shapes on one item are, from the shapes and the item's facts: shape (n_shapes, n_shapes), 0 to 1."""

SAME_OBJECT = 0.4
"""Mean similarity from which drawings are taken for the same object."""

OTHER_CLASS = 0.9
"""Similarity of two drawings of different classes, for each of the same class."""


class Drawings(NamedTuple):
    """One row for each shape of each answer, and one for each answer, by item and annotator.

    `item`, `annotator`, `label` (code in the vocabulary, its length for unknown ones), `score` (NaN: none) and `shapes`
    belong to shapes; `asked_item` and `asked_annotator` to answers, empty ones too; `facts` to items. Annotators are
    counted as the fitted model knows them; strangers have the number after the last.
    """

    item: Ints
    annotator: Ints
    label: Ints
    score: Floats
    shapes: list[Shape]
    asked_item: Ints
    asked_annotator: Ints
    facts: list[Mapping[str, Any]]

    @property
    def n_items(self) -> int:
        """How many items there are, answered or not."""
        return len(self.facts)


class Grouped(NamedTuple):
    """Which cluster each drawing is in, on which item each cluster lies, and how alike pairs in clusters are.

    `one`, `other` are rows of drawings of the same cluster, every pair once; `alike` their similarity without regard
    to class.
    """

    cluster: Ints
    item: Ints
    one: Ints
    other: Ints
    alike: Floats


def drawings_of(
    answers: AnswerTable, order: Sequence[int], annotators: Mapping[str, int], labels: Mapping[str, int]
) -> Drawings:
    """The drawings on the items in this order."""
    who = [annotators.get(name, len(annotators)) for name in answers.annotators]
    asked = [
        (i, who[answers.annotator_index[position]], answers.values[position])
        for i, row in enumerate(order)
        for position in answers.by_item[row].tolist()
    ]
    drawn = [(i, j, shape) for i, j, value in asked for shape in value]
    unknown = len(labels)
    return Drawings(
        np.array([i for i, _, _ in drawn], dtype=np.intp),
        np.array([j for _, j, _ in drawn], dtype=np.intp),
        np.array([labels.get(shape["label"], unknown) for _, _, shape in drawn], dtype=np.intp),
        np.array([shape.get("score", np.nan) for _, _, shape in drawn], dtype=np.float64),
        [shape for _, _, shape in drawn],
        np.array([i for i, _, _ in asked], dtype=np.intp),
        np.array([j for _, j, _ in asked], dtype=np.intp),
        [answers.facts[row] for row in order],
    )


def grouped(drawings: Drawings, owners: Ints, similarity: Similarity) -> Grouped:
    """Drawings of the same object, item by item, at most one of each answer.

    Parameters
    ----------
    owners : array of int, shape (n_drawings,)
        The answer that each drawing is from.
    """
    bounds = np.searchsorted(drawings.item, np.arange(drawings.n_items + 1)).tolist()
    cluster = np.empty(len(drawings.item), dtype=np.intp)
    items: list[int] = []
    pairs: list[tuple[Ints, Ints, Floats]] = []
    for i in range(drawings.n_items):
        low, high = bounds[i], bounds[i + 1]
        if low == high:
            continue
        alike = similarity(drawings.shapes[low:high], drawings.facts[i])
        label = drawings.label[low:high]
        weighed = alike * np.where(label[:, None] == label[None, :], 1.0, OTHER_CLASS)
        found = one_of_each(weighed, owners[low:high], least=SAME_OBJECT)
        cluster[low:high] = found + len(items)
        items += [i] * (int(found.max()) + 1)
        one, other = np.nonzero(np.triu(found[:, None] == found[None, :], 1))
        pairs.append((one + low, other + low, alike[one, other]))
    none = np.empty(0, dtype=np.intp)
    return Grouped(
        cluster,
        np.array(items, dtype=np.intp),
        np.concatenate([none, *(first for first, _, _ in pairs)]),
        np.concatenate([none, *(second for _, second, _ in pairs)]),
        np.concatenate([np.empty(0), *(near for _, _, near in pairs)]),
    )


def joined(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs (row of left, row of right) with equal keys; `right` is sorted, pairs come by left row."""
    low, high = np.searchsorted(right, left, side="left"), np.searchsorted(right, left, side="right")
    count = high - low
    rows = np.repeat(np.arange(len(left)), count)
    start = np.repeat(np.cumsum(count) - count, count)
    return rows, np.arange(len(rows)) - start + np.repeat(low, count)


def members_of(groups: Grouped, clusters: Ints) -> tuple[Ints, Ints]:
    """Rows of the drawings in these clusters (sorted), and the place of their cluster among these; by cluster."""
    rows = np.flatnonzero(np.isin(groups.cluster, clusters))
    rows = rows[np.argsort(groups.cluster[rows], kind="stable")]
    return rows, np.searchsorted(clusters, groups.cluster[rows])


def summed(place: Ints, weights: npt.ArrayLike, n: int) -> Floats:
    """Sums of weights by their place, from 0 to n - 1, always in the same order."""
    return np.bincount(place, weights=np.asarray(weights, dtype=np.float64), minlength=n).astype(np.float64)
