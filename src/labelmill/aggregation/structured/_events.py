"""Which segments of different annotators are one event."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.grouping import grouped
from labelmill.domain.matching import one_to_one

__all__ = ["events_of"]

Floats = npt.NDArray[np.float64]
Segments = Sequence[dict[str, Any]]

SAME = 0.25
"""Overlap from which segments are put together."""

OTHER_LABEL = 0.6
"""Share of their likeness that two segments of different classes keep: the same moment under another name."""

ROUNDS = 3
"""Times that every annotator's segments are matched anew to the events that the others make."""


def events_of(answers: Sequence[Segments]) -> list[list[tuple[int, int]]]:
    """Events as lists of (answer, segment), at most one segment of each answer.

    First by average linkage (`grouped`), which needs no order of the annotators; then each answer in turn is matched
    one to one to the medians of what the others mark, which mends chains where events follow close upon each other.
    Events in order of their first segments.
    """
    events = _linked(answers)
    for _ in range(ROUNDS):
        before = events
        for owner, answer in enumerate(answers):
            events = _rematched(events, owner, answer, answers)
        if sorted(events) == sorted(before):
            break
    return sorted(sorted(event) for event in events)


def _linked(answers: Sequence[Segments]) -> list[list[tuple[int, int]]]:
    flat = [(owner, place) for owner, answer in enumerate(answers) for place in range(len(answer))]
    first = np.cumsum([0, *(len(answer) for answer in answers)])
    similarity = {}
    for a, b in itertools.combinations(range(len(answers)), 2):
        table = _likeness(answers[a], answers[b])
        for i, j in np.argwhere(table > 0).tolist():
            similarity[int(first[a] + i), int(first[b] + j)] = float(table[i, j])
    return [[flat[k] for k in group] for group in grouped([owner for owner, _ in flat], similarity, least=SAME)]


def _rematched(
    events: list[list[tuple[int, int]]], owner: int, answer: Segments, answers: Sequence[Segments]
) -> list[list[tuple[int, int]]]:
    without = [[pair for pair in event if pair[0] != owner] for event in events]
    without = [event for event in without if event]
    centres = [_centre([answers[o][place] for o, place in event]) for event in without]
    matched = dict(one_to_one(_likeness(answer, centres), least=SAME / 2))
    alone = [[(owner, place)] for place in range(len(answer)) if place not in matched]
    for place, k in matched.items():
        without[k].append((owner, place))
    return without + alone


def _centre(marks: Segments) -> dict[str, Any]:
    labels = [mark["label"] for mark in marks]
    label = max(sorted(set(labels)), key=labels.count)
    return {"label": label, **{edge: median(mark[edge] for mark in marks) for edge in ("start", "end")}}


def _likeness(a: Segments, b: Segments) -> Floats:
    """Share of the time covered by either that both cover, less for other classes, shape (len(a), len(b))."""
    (starts_a, ends_a, labels_a), (starts_b, ends_b, labels_b) = (
        [np.array([segment[field] for segment in value]) for field in ("start", "end", "label")] for value in (a, b)
    )
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)))
    both = np.minimum(ends_a[:, None], ends_b) - np.maximum(starts_a[:, None], starts_b)
    either = np.maximum(ends_a[:, None], ends_b) - np.minimum(starts_a[:, None], starts_b)
    share = np.maximum(both, 0.0) / np.maximum(either, np.finfo(np.float64).tiny)
    return np.asarray(share * np.where(labels_a[:, None] == labels_b, 1.0, OTHER_LABEL))
