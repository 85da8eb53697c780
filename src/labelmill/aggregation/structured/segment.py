"""Segment: the events behind stretches of time that people marked."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from labelmill.aggregation._confusion import Confusion
from labelmill.aggregation._fitted import require_fitted
from labelmill.aggregation._options import at_least_one
from labelmill.aggregation.structured._events import events_of
from labelmill.aggregation.structured._located import Measurers, locate, measurers
from labelmill.aggregation.structured._marked import Marks, Watchers
from labelmill.aggregation.structured._rows import Rows, all_equal
from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.attribute_merging import merged_attributes
from labelmill.domain.attributes import Attribute

__all__ = ["SegmentModel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

EDGES = ("start", "end")

DEGREES = 4.0
"""Degrees of freedom of the noise of edges: a blunder now and then is expected."""


DIGITS = 6
"""Merged times are rounded to microseconds."""


class SegmentModel:
    r"""Annotators overlook events, invent some, take one class for another, and mark edges early, late or loosely.

    Segments of different annotators are matched one to one into events (`events_of`). Then, each learned without
    gold and shrunk to the crowd:

    - whether an event happened, from who marked it and who did not, with a rate of finding and of inventing events
      for each annotator (`Watchers`);
    - its class, from their confusions (`Confusion`, as in `ShrinkageDawidSkene`);
    - when it began and ended, from their biases and noise at beginnings and at ends (`measurers`): people who react
      late are set right, loose ones weigh little, blunders less.

    Events that more likely happened than not are merged. The text is the one with the most reliable support among
    marks of the class; attributes are voted on by all who marked the event, each by its rate of finding
    events. Where one annotator alone answered, or all gave the same answer, that is the value.

    Parameters
    ----------
    max_iterations : int
        At most so many rounds of each of the three.
    seed : int
        Not used; nothing is drawn.

    Attributes
    ----------
    classes_ : tuple of str
    reliability_ : ndarray of float64, shape (n_annotators,)
        Probability of finding an event that happened and naming its class, times that of a mark of it being of one
        that happened; NaN without answers.
    details_ : dict
        `model`, `iterations`, `converged`, and by annotator `missed` (share of events), `spurious` (share of its
        marks), `accuracy` (of its classes), `start_bias`, `end_bias`, `start_scale`, `end_scale` (seconds).

    Examples
    --------
    >>> from labelmill.labels.segment import Segment
    >>> dog = lambda start, end: [{"label": "dog", "start": start, "end": end}]
    >>> table = AnswerTable(Segment(), ["x"], list("abc"), [0, 0, 0], [0, 1, 2], [dog(1.0, 2.0), dog(1.0, 2.0), []])
    >>> SegmentModel().fit(table).predict(table)[0].value
    [{'label': 'dog', 'start': 1.0, 'end': 2.0}]
    """

    classes_: tuple[str, ...]
    reliability_: Floats
    details_: dict[str, Any]

    def __init__(self, *, max_iterations: int = 100, seed: int = 0) -> None:
        self.max_iterations = max_iterations
        self.seed = seed

    def fit(self, answers: AnswerTable) -> Self:
        """Learn what each annotator misses, invents and mistakes, and how it marks edges."""
        at_least_one(max_iterations=self.max_iterations)
        rows = Rows.of(answers)
        named = sorted({segment["label"] for value in rows.values for segment in value})
        self.classes_ = answers.classes or tuple(getattr(answers.kind, "classes", ())) or tuple(named) or ("",)
        found = _Found.of(rows, self.classes_)
        watchers = Watchers.fitted(found.marks, self.max_iterations)
        edges = {
            edge: measurers(
                found.event,
                rows.annotator[found.row],
                found.times(edge),
                found.marks.n_events,
                rows.n_annotators,
                degrees=DEGREES,
                max_iterations=self.max_iterations,
            )
            for edge in EDGES
        }
        answered = rows.per_annotator(np.ones(len(rows.values))) > 0
        self._watchers, self._typical = watchers, {edge: edges[edge].pooled for edge in EDGES}
        per_vote = watchers.confusion.per_vote
        self._strangers = _Learned(
            watchers.crowd_found, watchers.crowd_invented, _crowd(watchers), (0.0, 0.0), tuple(self._typical.values())
        )
        self._learned = {
            name: _Learned(
                float(watchers.found[j]),
                float(watchers.invented[j]),
                per_vote[j],
                tuple(float(edges[edge].bias[j]) for edge in EDGES),
                tuple(float(edges[edge].scale[j]) for edge in EDGES),
            )
            for j, name in enumerate(rows.names)
            if answered[j]
        }
        self._describe(rows, found, edges, answered)
        return self

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """The events of each item.

        `parts` has, for each event, the probability that it happened and is of its class; the confidence is that of
        all of them, and of none of those left out.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "_learned")
        rows = Rows.of(answers)
        found = _Found.of(rows, self.classes_)
        judged = self._judged(rows, found, answers.attributes)
        of_item: dict[int, list[int]] = defaultdict(list)
        for event, item in enumerate(found.item_of_event):
            of_item[item].append(event)
        durations = {
            place: facts.get("duration") for place, facts in zip(rows.item_place.tolist(), answers.facts, strict=True)
        }
        merged = [
            _merged(values, [judged[event] for event in of_item[item]], durations[item])
            for item, values in enumerate(rows.by_item())
        ]
        return [merged[place] for place in rows.item_place.tolist()]

    def _judged(self, rows: Rows, found: _Found, declared: tuple[Attribute, ...]) -> list[_Event]:
        """What is believed of each event."""
        marks, known = found.marks, rows.known(self._learned, self._strangers)
        of_row = [known[j] for j in marks.annotator.tolist()]
        happened = self._watchers.existence(
            marks,
            np.array([learned.found for learned in of_row], dtype=np.float64),
            np.array([learned.invented for learned in of_row], dtype=np.float64),
        )
        scores = np.zeros((len(marks.event), marks.n_classes))
        for chance in np.flatnonzero(marks.is_marked).tolist():
            scores[chance] = of_row[chance].per_vote[marks.label[chance]]
        classes = self._watchers.classes(marks, scores)
        places = [self._placed(rows, found, known, k) for k in range(len(EDGES))]
        likeliest, trust = classes.argmax(axis=1), [known[j].found for j in rows.annotator.tolist()]
        texts = found.texts(likeliest, trust, self.classes_)
        told = found.attributes(likeliest, trust, self.classes_, declared)
        return [
            _Event(self.classes_[int(row.argmax())], float(start), float(end), text, more, float(p), float(row.max()))
            for row, start, end, text, more, p in zip(classes, *places, texts, told, happened, strict=True)
        ]

    def _placed(self, rows: Rows, found: _Found, known: list[_Learned], k: int) -> Floats:
        j = rows.annotator[found.row].tolist()
        bias, scale = ([getattr(known[person], name)[k] for person in j] for name in ("bias", "scale"))
        times = found.times(EDGES[k])
        return locate(found.event, times, np.array(bias, dtype=np.float64), np.array(scale, dtype=np.float64),
                      found.marks.n_events, degrees=DEGREES).place  # fmt: skip

    def _describe(
        self, rows: Rows, found: _Found, edges: dict[str, Measurers], answered: npt.NDArray[np.bool_]
    ) -> None:
        watchers, marks = self._watchers, found.marks
        happened, _ = watchers.judged(marks, np.zeros((len(marks.event), marks.n_classes)))
        given = marks.per_annotator(marks.is_marked.astype(np.float64))
        true = marks.per_annotator(happened[marks.event] * marks.is_marked)
        crowd = true.sum() / max(given.sum(), 1.0)
        precise = (true + crowd) / (given + 1.0)
        diagonal = np.trace(watchers.confusion.counts + watchers.confusion.prior, axis1=1, axis2=2)
        accuracy = diagonal / (watchers.confusion.counts + watchers.confusion.prior).sum(axis=(1, 2))
        self.reliability_ = rows.in_table(watchers.found * accuracy * precise)
        columns = {"missed": 1.0 - watchers.found, "spurious": 1.0 - precise, "accuracy": accuracy}
        columns |= {f"{edge}_{name}": getattr(edges[edge], name) for edge in EDGES for name in ("bias", "scale")}
        self.details_ = {
            "model": "segment",
            "iterations": watchers.iterations,
            "converged": watchers.converged and all(edge.converged for edge in edges.values()),
        } | {
            name: {person: float(column[j]) for j, person in enumerate(rows.names) if answered[j]}
            for name, column in columns.items()
        }


class _Learned(NamedTuple):
    """Of one annotator; `per_vote` is (label, class), `bias` and `scale` are of beginnings and of ends."""

    found: float
    invented: float
    per_vote: Floats
    bias: tuple[float, ...]
    scale: tuple[float, ...]


class _Event(NamedTuple):
    """What is believed of one."""

    label: str
    start: float
    end: float
    text: str | None
    attributes: dict[str, dict[str, Any]]
    happened: float
    is_label: float


class _Found(NamedTuple):
    """Events of all items: the segments that make them up, and who could have marked them.

    `event` and `row` (answer among the rows) have one entry a segment, as has `segments`.
    """

    event: Ints
    row: Ints
    segments: list[dict[str, Any]]
    item_of_event: list[int]
    marks: Marks

    @classmethod
    def of(cls, rows: Rows, classes: tuple[str, ...]) -> _Found:
        code = {name: k for k, name in enumerate(classes)}
        event: list[int] = []
        row: list[int] = []
        segments: list[dict[str, Any]] = []
        item_of_event: list[int] = []
        chances: list[tuple[int, int, int]] = []
        starts = itertools.accumulate((len(values) for values in rows.by_item()), initial=0)
        for item, (start, values) in enumerate(zip(starts, rows.by_item(), strict=False)):
            for members in events_of(values):
                label = {start + owner: code[values[owner][place]["label"]] for owner, place in members}
                k = len(item_of_event)
                item_of_event.append(item)
                event += [k] * len(members)
                row += [start + owner for owner, _ in members]
                segments += [values[owner][place] for owner, place in members]
                chances += [(k, r, label.get(r, -1)) for r in range(start, start + len(values))]
        columns = np.array(chances, dtype=np.intp).reshape(-1, 3).T
        marks = Marks(
            columns[0], rows.annotator[columns[1]], columns[2], len(item_of_event), rows.n_annotators, len(classes)
        )
        return cls(np.array(event, dtype=np.intp), np.array(row, dtype=np.intp), segments, item_of_event, marks)

    def times(self, edge: str) -> Floats:
        """Seconds of every segment."""
        return np.array([segment[edge] for segment in self.segments], dtype=np.float64)

    def texts(self, label: Ints, trust: list[float], classes: tuple[str, ...]) -> list[str | None]:
        """The text of each event: the one with the most trust among segments of its class."""
        shares: list[dict[str | None, list[float]]] = [{} for _ in self.item_of_event]
        for k, row, segment in zip(self.event.tolist(), self.row.tolist(), self.segments, strict=True):
            if segment["label"] == classes[label[k]]:
                shares[k].setdefault(segment.get("text"), []).append(trust[row])
        return [
            min(share, key=lambda text: (-math.fsum(share[text]), text is None, text or "")) if share else None
            for share in shares
        ]

    def attributes(
        self, label: Ints, trust: list[float], classes: tuple[str, ...], declared: tuple[Attribute, ...]
    ) -> list[dict[str, dict[str, Any]]]:
        """What those who marked each event say of it, as the fields to add."""
        marks: list[list[tuple[dict[str, Any], float]]] = [[] for _ in self.item_of_event]
        for k, row, segment in zip(self.event.tolist(), self.row.tolist(), self.segments, strict=True):
            marks[k].append((segment, trust[row]))
        return [
            merged_attributes([one for one, _ in made], [weight for _, weight in made], classes[label[k]], declared)
            for k, made in enumerate(marks)
        ]


def _crowd(watchers: Watchers) -> Floats:
    n_classes = len(watchers.class_balance)
    confusion = watchers.confusion
    if not len(confusion.mean):
        return np.zeros((n_classes, n_classes))
    typical = Confusion(np.zeros((1, n_classes, n_classes)), confusion.mean.mean(axis=0)[None], confusion.strength)
    return np.asarray(typical.per_vote[0])


def _merged(values: list[Any], events: list[_Event], duration: Any) -> Merged:
    if not values:
        return Merged(None, 0.0)
    parts = [event.happened * event.is_label for event in events]
    kept = [(event, part) for event, part in zip(events, parts, strict=True) if event.happened > 0.5]
    dropped = [1.0 - event.happened for event in events if event.happened <= 0.5]
    confidence = math.prod([part for _, part in kept] + dropped)
    if all_equal(values):
        # Events come in the order of the first answer's segments, which all answers share.
        return Merged(values[0], math.prod(parts), tuple(parts))
    told = [(_segment(event, duration), part) for event, part in kept]
    told = [(segment, part) for segment, part in told if segment["start"] < segment["end"]]
    told.sort(key=lambda pair: (pair[0]["start"], pair[0]["end"], pair[0]["label"], pair[0].get("text", "")))
    return Merged([segment for segment, _ in told], confidence, tuple(part for _, part in told))


def _segment(event: _Event, duration: Any) -> dict[str, Any]:
    start, end = sorted((event.start, event.end))  # a very short one may come out the other way round
    start = max(start, 0.0)
    if isinstance(duration, int | float) and duration > start:
        end = min(end, float(duration))
    start, end = round(start, DIGITS), round(end, DIGITS)
    text = {} if event.text is None else {"text": event.text}
    return {"label": event.label, "start": start, "end": end, **text, **event.attributes}
