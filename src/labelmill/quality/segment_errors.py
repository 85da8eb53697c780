"""Segments that are probably wrong: overlooked, invented, badly located, or of another class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.matching import one_to_one
from labelmill.errors import UsageError

__all__ = ["SegmentError", "find_segment_errors"]

Floats = npt.NDArray[np.float64]
Segments = Sequence[dict[str, Any]]

OTHER_LABEL = 0.6
"""Share of their overlap that segments of different classes keep in the matching."""

LEAST_OVERLAP = 0.1
"""What overlaps less is not the same event."""

TYPICAL = 1.4826
"""Times the median of absolute deviations gives the standard deviation of a Gaussian."""


class SegmentError(NamedTuple):
    """One suspicion.

    Parameters
    ----------
    item, annotator : str
    kind : {"overlooked", "spurious", "badly located", "swapped"}
        An event the annotator has not; a segment of its that is no event; one whose edges are off; one whose class is
        another.
    given, merged : mapping or None
        Its segment, and the merged one.
    score : float
        0 to 1: how sure it is that the answer is wrong there; highest first.
    """

    item: str
    annotator: str
    kind: Literal["overlooked", "spurious", "badly located", "swapped"]
    given: dict[str, Any] | None
    merged: dict[str, Any] | None
    score: float


def find_segment_errors(
    answers: AnswerTable, merged: Sequence[Merged], *, spread: float = 3.0, least: float = 0.5
) -> list[SegmentError]:
    """What in each answer contradicts the merged value, surest first.

    Every answer is matched one to one with the merged segments of its item. What is left over on either side is
    overlooked or spurious, a pair of two classes is swapped, and a pair whose edges are further apart than `spread`
    times what is usual for all annotators is badly located. The score is the merged value's own confidence in the
    segment (`Merged.parts`), for spurious ones that nothing else is there, and for edges how far out they lie.

    Parameters
    ----------
    answers : AnswerTable
        Of the kind `segment`.
    merged : sequence of Merged
        One an item, as a model's `predict(answers)` gives.
    spread : float
        Usual deviations that edges may be off.
    least : float
        Suspicions with a lower score are left out.

    Raises
    ------
    UsageError
        If there is not one merged value for each item.
    """
    if len(merged) != answers.n_items:
        raise UsageError(f"{len(merged)} merged values for {answers.n_items} items: give what predict(answers) gives")
    pairs = [
        (position, value.value, matched(answers.values[position], value.value))
        for positions, value in zip(answers.by_item, merged, strict=True)
        if value.value is not None
        for position in positions.tolist()
    ]
    usual = _usual(answers, pairs)
    found = [
        error
        for position, segments, pairing in pairs
        for error in _errors(answers, position, segments, merged, pairing, usual, spread)
        if error.score >= least
    ]
    return sorted(found, key=lambda error: (-error.score, error.item, error.annotator, str(error.given)))


def matched(given: Segments, merged: Segments) -> list[tuple[int, int]]:
    """Segments of two answers that are the same event, by the time they share; those of one class first."""
    if not given or not merged:
        return []
    (starts, ends), (starts_merged, ends_merged) = (
        [np.array([segment[edge] for segment in segments], dtype=np.float64) for edge in ("start", "end")]
        for segments in (given, merged)
    )
    both = np.minimum(ends[:, None], ends_merged) - np.maximum(starts[:, None], starts_merged)
    either = np.maximum(ends[:, None], ends_merged) - np.minimum(starts[:, None], starts_merged)
    labels = [np.array([segment["label"] for segment in segments], dtype=object) for segments in (given, merged)]
    overlap = np.maximum(both, 0.0) / either * np.where(labels[0][:, None] == labels[1], 1.0, OTHER_LABEL)
    return one_to_one(overlap, least=LEAST_OVERLAP)


def _usual(answers: AnswerTable, pairs: Sequence[tuple[int, Segments, list[tuple[int, int]]]]) -> float:
    """Seconds that edges are usually off."""
    off = [
        abs(answers.values[position][i][edge] - segments[k][edge])
        for position, segments, pairing in pairs
        for i, k in pairing
        for edge in ("start", "end")
    ]
    apart = np.array([seconds for seconds in off if seconds > 0], dtype=np.float64)
    return TYPICAL * float(np.median(apart)) if len(apart) else 0.0


def _errors(
    answers: AnswerTable,
    position: int,
    segments: Segments,
    merged: Sequence[Merged],
    pairing: list[tuple[int, int]],
    usual: float,
    spread: float,
) -> Iterator[SegmentError]:
    i = int(answers.item_index[position])
    where = answers.items[i], answers.annotators[int(answers.annotator_index[position])]
    sure = merged[i].parts or (merged[i].confidence,) * len(segments)
    given = answers.values[position]
    for place, k in pairing:
        mine, theirs = given[place], segments[k]
        off = max(abs(mine[edge] - theirs[edge]) for edge in ("start", "end"))
        if mine["label"] != theirs["label"]:
            yield SegmentError(*where, "swapped", mine, theirs, sure[k])
        elif off > spread * usual > 0:
            yield SegmentError(*where, "badly located", mine, theirs, sure[k] * (1.0 - spread * usual / off / 2))
    for k in sorted(set(range(len(segments))) - {k for _, k in pairing}):
        yield SegmentError(*where, "overlooked", None, segments[k], sure[k])
    for place in sorted(set(range(len(given))) - {place for place, _ in pairing}):
        yield SegmentError(*where, "spurious", given[place], None, _nothing_there(answers, position, given[place]))


def _nothing_there(answers: AnswerTable, position: int, segment: dict[str, Any]) -> float:
    """Share of the others on the item who have nothing there, one more counted who has."""
    i = int(answers.item_index[position])
    others = [answers.values[p] for p in answers.by_item[i].tolist() if p != position]
    silent = sum(not matched([segment], other) for other in others)
    return silent / (len(others) + 1)
