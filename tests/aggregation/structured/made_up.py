"""Answers whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.answers import AnswerTable
from labelmill.domain.ports import LabelKind

Ints = npt.NDArray[np.integer[Any]]


def shared_out(draw: np.random.Generator, n_items: int, n_people: int, each: int) -> tuple[Ints, Ints]:
    """Item and person of each answer: so many different people on every item."""
    person = np.concatenate([draw.permutation(n_people)[:each] for _ in range(n_items)])
    return np.repeat(np.arange(n_items), each), person


def table(kind: LabelKind, item: Ints, person: Ints, values: Sequence[Any], classes: Sequence[str] = ()) -> AnswerTable:
    """Answers of people on items, both known by number."""
    items, people = ([f"{k:04}" for k in range(int(column.max()) + 1)] for column in (item, person))
    return AnswerTable(kind, items, people, item, person, list(values), classes=classes)


def plain(answers: AnswerTable) -> list[Any]:
    """The kind's own merge on every item, everybody weighing the same."""
    return [
        answers.kind.merge([answers.values[p] for p in positions], [1.0] * len(positions))
        for positions in answers.by_item
    ]
