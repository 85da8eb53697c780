"""How well segments found meet those that are true: precision, recall and F1 of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.matching import one_to_one
from labelmill.errors import UsageError

__all__ = ["EventScores", "boundary_scores", "event_scores"]

Segments = Sequence[dict[str, Any]]

SLACK = 1e-9
"""Seconds: edges exactly a collar apart agree in spite of rounding."""


@dataclass(frozen=True, slots=True)
class EventScores:
    """Events counted over all items.

    Parameters
    ----------
    n_true, n_found, n_matched : int
    by_class : mapping of str to EventScores
        The same of each class; empty in those.
    """

    n_true: int
    n_found: int
    n_matched: int
    by_class: dict[str, EventScores] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        """Share of the events found that are true; 1 where none is found."""
        return self.n_matched / self.n_found if self.n_found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true events that are found; 1 where there is none."""
        return self.n_matched / self.n_true if self.n_true else 1.0

    @property
    def f1(self) -> float:
        """2 matched / (true + found); 1 where there is neither."""
        total = self.n_true + self.n_found
        return 2 * self.n_matched / total if total else 1.0

    @property
    def macro_f1(self) -> float:
        """Mean of the classes' F1; 1 without classes."""
        return float(np.mean([scores.f1 for scores in self.by_class.values()])) if self.by_class else 1.0


def event_scores(
    true: Sequence[Segments],
    found: Sequence[Segments],
    *,
    collar: float = 0.2,
    share: float = 0.2,
    offsets: bool = True,
    labels: bool = True,
) -> EventScores:
    """Event-based scores, one pair of lists an item (Mesaros, Heittola and Virtanen 2016, doi:10.3390/app6060162).

    A segment found meets a true one of its class if their beginnings are at most `collar` seconds apart, and their
    ends at most `collar` seconds or `share` of the true one's length, whichever is more. Each meets at most one: the
    matching is the largest there is, not the first found.

    Parameters
    ----------
    collar : float
        Seconds; 0.2 is usual for sounds, 0.02 for phones.
    share : float
        Of the true segment's length, for ends.
    offsets : bool
        False: beginnings alone count.
    labels : bool
        False: any class will do.

    Raises
    ------
    UsageError
        If there are not as many lists found as true ones, or the collar or share is below 0.

    Examples
    --------
    >>> dog = {"label": "dog", "start": 1.0, "end": 2.0}
    >>> event_scores([[dog]], [[{**dog, "start": 1.1}, {**dog, "start": 5.0, "end": 6.0}]]).precision
    0.5
    """
    if len(true) != len(found):
        raise UsageError(f"{len(found)} lists found for {len(true)} items: give one for each item, empty ones too")
    if collar < 0 or share < 0:
        raise UsageError(f"collar and share must be at least 0, found {collar} and {share}")
    counts: dict[str, list[int]] = {}
    n_matched = 0
    for expected, given in zip(true, found, strict=True):
        for k, segments in enumerate((expected, given)):
            for segment in segments:
                counts.setdefault(segment["label"], [0, 0, 0])[k] += 1
        agree = _agree(expected, given, collar, share if offsets else np.inf, labels=labels)
        for i, _ in one_to_one(agree.astype(np.float64)):
            counts[expected[i]["label"]][2] += 1
            n_matched += 1
    n_true, n_found = (sum(count[k] for count in counts.values()) for k in (0, 1))
    by_class = {name: EventScores(n, m, both) for name, (n, m, both) in sorted(counts.items())} if labels else {}
    return EventScores(n_true, n_found, n_matched, by_class)


def boundary_scores(true: Sequence[Segments], found: Sequence[Segments], *, collar: float = 0.02) -> EventScores:
    """How many borders are found to within `collar` seconds, whatever lies between them.

    A border is where a segment begins or ends; where one ends and the next begins, at most a collar apart, is one
    border, half way. Each meets at most one: walking both lists in time and taking the first that is near pairs as many
    as can be.

    Parameters
    ----------
    true, found : sequence of sequence of segment
        One pair of lists an item.
    collar : float
        Seconds; 0.02 is usual for phones (Räsänen, Laine and Altosaar 2009, An improved speech segmentation quality
        measure: the R-value, Interspeech).

    Raises
    ------
    UsageError
        If there are not as many lists found as true ones, or the collar is below 0.

    Examples
    --------
    >>> word = [{"label": "a", "start": 0.5, "end": 1.0}, {"label": "b", "start": 1.0, "end": 1.4}]
    >>> boundary_scores([word], [[{"label": "a", "start": 0.51, "end": 1.2}]]).recall
    0.3333333333333333
    """
    if len(true) != len(found):
        raise UsageError(f"{len(found)} lists found for {len(true)} items: give one for each item, empty ones too")
    if collar < 0:
        raise UsageError(f"collar must be at least 0, found {collar}")
    n_true = n_found = n_matched = 0
    for expected, given in zip(true, found, strict=True):
        wanted, told = _borders(expected, collar), _borders(given, collar)
        n_true, n_found = n_true + len(wanted), n_found + len(told)
        n_matched += _near_pairs(wanted, told, collar + SLACK)
    return EventScores(n_true, n_found, n_matched)


def _borders(segments: Segments, collar: float) -> list[float]:
    """Where segments begin or end, in order of time."""
    starts = {float(segment["start"]) for segment in segments}
    borders = []
    for own, end in sorted({(float(segment["start"]), float(segment["end"])) for segment in segments}):
        near = [start for start in starts if start != own and abs(start - end) <= collar + SLACK]
        if near:
            following = min(near, key=lambda start: (abs(start - end), start))
            starts.remove(following)
            end = (end + following) / 2
        borders.append(end)
    return sorted({*borders, *starts})


def _near_pairs(a: Sequence[float], b: Sequence[float], reach: float) -> int:
    i = j = pairs = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= reach:
            i, j, pairs = i + 1, j + 1, pairs + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return pairs


def _agree(true: Segments, found: Segments, collar: float, share: float, *, labels: bool) -> npt.NDArray[np.bool_]:
    """Shape (n_true, n_found): whether a segment found may be counted for a true one."""
    if not true or not found:
        return np.zeros((len(true), len(found)), dtype=np.bool_)
    (starts, ends), (starts_found, ends_found) = (
        [np.array([segment[edge] for segment in segments], dtype=np.float64) for edge in ("start", "end")]
        for segments in (true, found)
    )
    allowed = np.maximum(collar, share * (ends - starts))[:, None]
    agree = np.abs(starts[:, None] - starts_found) <= collar + SLACK
    agree &= np.abs(ends[:, None] - ends_found) <= allowed + SLACK
    if labels:
        names = [np.array([segment["label"] for segment in segments], dtype=object) for segments in (true, found)]
        agree &= names[0][:, None] == names[1]
    return np.asarray(agree, dtype=np.bool_)
