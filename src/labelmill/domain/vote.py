"""Votes one by one, and what comes back from an annotator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["ANNOTATOR_KINDS", "AnnotatorKind", "Fault", "Purpose", "Vote", "VoteBatch"]

AnnotatorKind = Literal["person", "rule", "model"]
ANNOTATOR_KINDS: tuple[AnnotatorKind, ...] = ("person", "rule", "model")

Purpose = Literal["label", "review", "gold", "audit"]
"""Why a person was asked: to label, to review a vote, to give gold, or to audit a release."""


class Vote(NamedTuple):
    """Who said what about which item.

    `label` is a class name, a list of class names (`multi_choice`), or None for an abstention.
    """

    item: str
    annotator: str
    label: Any
    confidence: float | None = None
    at: str | None = None
    purpose: Purpose = "label"


@dataclass(frozen=True, slots=True)
class Fault:
    """One annotator failed on one item: kept as data, so that one bad item never stops a run."""

    item: str
    annotator: str
    error: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class VoteBatch:
    """One annotator's votes on one batch of items.

    Parameters
    ----------
    labels : ndarray of int16, shape (n_items,), list of (tuple of int or None), or list of values
        `choice`: class index, `ABSTAIN` (-1) where it declined or failed. `multi_choice`: the set of class
        indices, `()` for "looked, none applies", None for an abstention or a fault. Kinds whose answers are more than
        classes: the value as the annotator gave it (a list of boxes, a number), None for an abstention or a fault;
        whoever keeps the votes checks them by the kind.
    faults : list of Fault
        One for each item the annotator failed on.
    probabilities : ndarray of float32, shape (n_items, n_classes), optional
        A model's class probabilities; a row of NaN where it abstains.
    """

    labels: npt.NDArray[np.int16] | list[tuple[int, ...] | None] | list[Any]
    faults: list[Fault] = field(default_factory=list)
    probabilities: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)
