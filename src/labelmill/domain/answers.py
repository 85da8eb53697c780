"""Answers that are more than one class: spans, boxes, segments, numbers, texts, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from labelmill.domain.attributes import Attribute
from labelmill.domain.vote import AnnotatorKind
from labelmill.errors import UsageError

__all__ = ["AnswerTable", "Measured", "Merged"]


class Measured(Protocol):
    """What a table asks of its kind of label; see `labelmill.domain.ports.LabelKind`."""

    def distance(self, a: Any, b: Any) -> float:
        """Between 0 (equal) and 1; symmetric."""

    def merge(self, values: Sequence[Any], weights: Sequence[float]) -> Any:
        """The one value that stands for many."""


class Merged(NamedTuple):
    """The one value that stands for all answers on an item.

    `value` is None where nobody answered. `confidence`, 0 to 1, is how likely the whole value is right. `parts` has
    one such number for each element of a value that is a list (each span, each box), and is empty otherwise.
    """

    value: Any
    confidence: float
    parts: tuple[float, ...] = ()


class AnswerTable:
    """Who answered what, for kinds of label whose values are lists, numbers or texts.

    Parameters
    ----------
    kind : LabelKind
        What the values are; says how far two are apart and how several become one.
    items : sequence of str
        Item ids.
    annotators : sequence of str
        Annotator names.
    item_index, annotator_index : array of int, shape (n_answers,)
        Which item and annotator each answer belongs to; at most one answer for each pair.
    values : sequence, length n_answers
        Values in the kind's canonical form (`LabelKind.validate`); None: asked and declined. An empty list says
        "looked, nothing is there". Who was not asked has no row.
    classes : sequence of str
        Class names in schema order; empty for kinds without classes.
    confidence : array of float, shape (n_answers,), optional
        How sure each annotator was of the whole answer, 0 to 1; NaN where it did not say.
    facts : sequence of mapping, length n_items, optional
        What is known of each item: `text`, `length`, `tokens` (list of [start, end)), `width`, `height`, `duration`.
    kinds : sequence of {"person", "rule", "model", None}, optional
        Kind of each annotator; None where unknown.

    Raises
    ------
    UsageError
        If an index points outside its table, the columns differ in length, or somebody answers an item twice.
    """

    def __init__(
        self,
        kind: Measured,
        items: Sequence[str],
        annotators: Sequence[str],
        item_index: npt.ArrayLike,
        annotator_index: npt.ArrayLike,
        values: Sequence[Any],
        *,
        classes: Sequence[str] = (),
        confidence: npt.ArrayLike | None = None,
        facts: Sequence[Mapping[str, Any]] | None = None,
        kinds: Sequence[AnnotatorKind | None] | None = None,
    ) -> None:
        self.kind = kind
        self.attributes: tuple[Attribute, ...] = tuple(getattr(kind, "attributes", ()))
        self.items, self.annotators, self.classes = items, tuple(annotators), tuple(classes)
        self.item_index = np.asarray(item_index, dtype=np.int32)
        self.annotator_index = np.asarray(annotator_index, dtype=np.int32)
        self.values = list(values)
        n = len(self.values)
        self.confidence = np.full(n, np.nan) if confidence is None else np.asarray(confidence, dtype=np.float64)
        self.facts: Sequence[Mapping[str, Any]] = [{}] * len(items) if facts is None else facts
        self.kinds: tuple[AnnotatorKind | None, ...] = tuple(kinds or [None] * len(self.annotators))
        self._check()

    @property
    def n_items(self) -> int:
        """How many items there are, answered or not."""
        return len(self.items)

    @property
    def n_annotators(self) -> int:
        """How many annotators there are."""
        return len(self.annotators)

    @cached_property
    def by_item(self) -> list[npt.NDArray[np.intp]]:
        """For each item the positions of its answers, abstentions left out, by annotator name.

        Sorted by name, so that what is summed over them does not depend on the order of rows.
        """
        place = np.empty(self.n_annotators, dtype=np.intp)
        place[np.argsort(np.array(self.annotators, dtype=object), kind="stable")] = np.arange(self.n_annotators)
        given = np.array([position for position, value in enumerate(self.values) if value is not None], dtype=np.intp)
        order = given[np.lexsort((place[self.annotator_index[given]], self.item_index[given]))]
        bounds = np.searchsorted(self.item_index[order], np.arange(self.n_items + 1))
        return [order[start:end] for start, end in pairwise(bounds)]

    def select(self, rows: Sequence[int]) -> AnswerTable:
        """The table of these items alone, in this order; annotators stay as they are."""
        place = {row: new for new, row in enumerate(rows)}
        kept = [position for position, i in enumerate(self.item_index.tolist()) if i in place]
        return AnswerTable(
            self.kind,
            [self.items[row] for row in rows],
            self.annotators,
            [place[int(self.item_index[position])] for position in kept],
            self.annotator_index[kept],
            [self.values[position] for position in kept],
            classes=self.classes,
            confidence=self.confidence[kept],
            facts=[self.facts[row] for row in rows],
            kinds=self.kinds,
        )

    def _check(self) -> None:
        n = len(self.values)
        for name, column in (
            ("item_index", self.item_index),
            ("annotator_index", self.annotator_index),
            ("confidence", self.confidence),
        ):
            if column.shape != (n,):
                raise UsageError(f"{name} must have one entry for each of {n} answers, found shape {column.shape}")
        for name, index, size in (
            ("item_index", self.item_index, self.n_items),
            ("annotator_index", self.annotator_index, self.n_annotators),
        ):
            if n and not (0 <= index.min() and index.max() < size):
                raise UsageError(f"{name} must lie between 0 and {size - 1}, found {index.min()} to {index.max()}")
        if len(self.facts) != self.n_items or len(self.kinds) != self.n_annotators:
            raise UsageError("give facts for every item and a kind (or None) for every annotator")
        pairs = self.item_index.astype(np.int64) * max(self.n_annotators, 1) + self.annotator_index
        distinct, counts = np.unique(pairs, return_counts=True)
        if (counts > 1).any():
            item, annotator = divmod(int(distinct[counts > 1][0]), max(self.n_annotators, 1))
            raise UsageError(
                f"{self.annotators[annotator]!r} answers item {self.items[item]!r} more than once: "
                "put all elements into one answer, or keep the last"
            )
