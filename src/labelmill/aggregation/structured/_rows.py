"""Answers in an order that depends on names alone, so that every sum over them has the same bits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.answers import AnswerTable

__all__ = ["Rows", "all_equal"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rows:
    """Who answered what, item by item and annotator by annotator, both sorted by name; abstentions are left out.

    Parameters
    ----------
    values : list, length n_answers
    item, annotator : ndarray of int, shape (n_answers,)
        Places among the sorted ids and the sorted names.
    item_place : ndarray of int, shape (n_items,)
        Place of each item of the table among the sorted ids.
    annotator_place : ndarray of int, shape (n_annotators,)
        Place of each annotator of the table among the sorted names.
    names : list of str
        Annotators, sorted.
    """

    values: list[Any]
    item: Ints
    annotator: Ints
    item_place: Ints
    annotator_place: Ints
    names: list[str]

    @classmethod
    def of(cls, answers: AnswerTable) -> Rows:
        """The rows of a table."""
        by_id = sorted(range(answers.n_items), key=lambda i: answers.items[i])
        by_name = sorted(range(answers.n_annotators), key=lambda j: answers.annotators[j])
        annotator_place = _places(by_name)
        parts = [answers.by_item[i] for i in by_id]
        positions = np.concatenate([*parts, np.zeros(0, dtype=np.intp)]).astype(np.intp)
        return cls(
            [answers.values[position] for position in positions.tolist()],
            np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
            annotator_place[answers.annotator_index[positions]],
            _places(by_id),
            annotator_place,
            [answers.annotators[j] for j in by_name],
        )

    @property
    def n_items(self) -> int:
        """How many items there are, answered or not."""
        return len(self.item_place)

    @property
    def n_annotators(self) -> int:
        """How many annotators there are."""
        return len(self.names)

    def per_item(self, weights: npt.ArrayLike) -> Floats:
        """Shape (n_items,): sums over the answers of each item."""
        return _sums(self.item, weights, self.n_items)

    def per_annotator(self, weights: npt.ArrayLike) -> Floats:
        """Shape (n_annotators,): sums over the answers of each annotator."""
        return _sums(self.annotator, weights, self.n_annotators)

    def known(self, learned: dict[str, Any], otherwise: Any) -> list[Any]:
        """What was learned of each annotator, by sorted name; `otherwise` of those not fitted."""
        return [learned.get(name, otherwise) for name in self.names]

    def in_table(self, reliability: Floats) -> Floats:
        """Reliabilities by sorted name as the table has its annotators; NaN for those without answers."""
        answered = self.per_annotator(np.ones(len(self.values))) > 0
        return np.where(answered, np.clip(reliability, 0.0, 1.0), np.nan)[self.annotator_place]

    def by_item(self) -> list[list[Any]]:
        """The values of each item, items by sorted id."""
        bounds = np.searchsorted(self.item, np.arange(self.n_items + 1)).tolist()
        return [self.values[start:end] for start, end in pairwise(bounds)]


def all_equal(values: list[Any]) -> bool:
    """Whether there are values, and all say the same."""
    return bool(values) and all(value == values[0] for value in values[1:])


def _sums(place: Ints, weights: npt.ArrayLike, n: int) -> Floats:
    # Counting nothing gives integers whatever the weights.
    return np.bincount(place, weights=np.asarray(weights, dtype=np.float64), minlength=n).astype(np.float64)


def _places(order: list[int]) -> Ints:
    place = np.empty(len(order), dtype=np.intp)
    place[np.array(order, dtype=np.intp)] = np.arange(len(order))
    return place
