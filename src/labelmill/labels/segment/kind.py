"""What an answer that marks stretches of time is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.attribute_merging import merged_attributes
from labelmill.domain.attributes import Attribute
from labelmill.domain.grouping import grouped
from labelmill.domain.item import Item
from labelmill.domain.matching import unmatched_in
from labelmill.domain.schema import LabelSchema
from labelmill.labels._attributes import exemplified, kept_shares
from labelmill.labels._medians import middle_pair
from labelmill.labels._weights import checked_weights
from labelmill.labels.segment._checks import checked_segments

__all__ = ["Segment"]

OTHER_TEXT = 0.5
"""Share of their similarity that two segments keep whose texts differ."""

SAME = 0.25
"""Segments of different answers are one event from this similarity on."""

Segments = Sequence[dict[str, Any]]


class Segment:
    """Stretches of time, each with a class; `[]` says that there are none.

    The value is a list of `{"label", "start", "end"}`, optionally with a `"text"`, and with `"attributes"`, a mapping
    of what the schema declares, in order of time: start and end in seconds from the beginning of the item, as floats.
    Segments may overlap.

    Parameters
    ----------
    classes : sequence of str
        Class order that ties follow; without it, and for names not in it, code point order.
    attributes : sequence of Attribute
        What segments tell besides their class, as the schema declares it.
    """

    name: ClassVar[str] = "segment"
    widget: ClassVar[str] = "labelmill-segment"

    def __init__(self, *, classes: Sequence[str] = (), attributes: Sequence[Attribute] = ()) -> None:
        self.classes = tuple(classes)
        self.attributes = tuple(attributes)

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> list[dict[str, Any]]:
        """The segments of a list of mappings, or of the JSON text of one, in order of time.

        A label may be a class name or index. With an item whose `facts` have a `duration`, segments end by then.

        Raises
        ------
        SchemaError
            If it is no such list; names the element and its field.

        Examples
        --------
        >>> Segment().validate('[{"label": "dog", "start": 1, "end": 2.5}]', LabelSchema("sound", ("dog", "cat")))
        [{'label': 'dog', 'start': 1.0, 'end': 2.5}]
        """
        return sorted(checked_segments(value, schema, item), key=_in_time)

    def distance(self, a: Segments, b: Segments) -> float:
        """1 - 2 (overlap of matched segments) / (|a| + |b|), segments matched one to one.

        The overlap of two segments of one class is the share of the time covered by either that both cover, halved
        where their texts differ; segments of different classes are not matched. Attributes count only where they are
        declared to.
        """
        return unmatched_in(_overlaps(a, b) * kept_shares(a, b, self.attributes))

    def merge(self, values: Sequence[Segments], weights: Sequence[float]) -> list[dict[str, Any]]:
        """Events that more than half of the weight marks, from weighted median to weighted median.

        Segments of different answers are one event where they cover the same time, whatever their class; the class,
        and the text, are those with the most weight; attributes are voted on by all who marked it. The order of the
        values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        checked = checked_weights(values, weights)
        pairs = sorted(zip(values, checked, strict=True), key=lambda pair: ([_in_time(s) for s in pair[0]], pair[1]))
        half = math.fsum(checked) / 2
        merged = []
        for event in _events([value for value, _ in pairs]):
            marks = [(pairs[owner][0][place], pairs[owner][1]) for owner, place in event]
            if math.fsum(weight for _, weight in marks) > half * (1 + 1e-12):
                merged.append(self._one(marks))
        return sorted(merged, key=_in_time)

    def examples(self, schema: LabelSchema) -> list[list[dict[str, Any]]]:
        """Some valid values, for promise suites and forms."""
        first, last = schema.classes[0], schema.classes[-1]
        early = {"label": first, "start": 0.0, "end": 1.5}
        late = {"label": last, "start": 2.0, "end": 3.25}
        return exemplified(
            [[], [early], [late], [early, late], [{**early, "end": 1.0, "text": "well"}, {**late, "start": 1.0}]],
            schema,
        )

    def _one(self, marks: Sequence[tuple[dict[str, Any], float]]) -> dict[str, Any]:
        label = self._heaviest([(mark["label"], weight) for mark, weight in marks])
        edges = {}
        for edge in ("start", "end"):
            low, high = middle_pair([mark[edge] for mark, _ in marks], [w for _, w in marks], key=lambda time: time)
            edges[edge] = low if low == high else (low + high) / 2
        text = self._heaviest([(mark.get("text"), weight) for mark, weight in marks if mark["label"] == label])
        told = merged_attributes([mark for mark, _ in marks], [w for _, w in marks], label, self.attributes)
        return {"label": label, **edges} | ({} if text is None else {"text": text}) | told

    def _heaviest(self, said: Sequence[tuple[Any, float]]) -> Any:
        place = {name: position for position, name in enumerate(self.classes)}
        shares: dict[Any, list[float]] = {}
        for name, weight in said:
            shares.setdefault(name, []).append(weight)
        return min(shares, key=lambda name: (-math.fsum(shares[name]), place.get(name, len(place)), str(name)))


def _in_time(segment: dict[str, Any]) -> tuple[float, float, str, str]:
    return segment["start"], segment["end"], segment["label"], segment.get("text", "")


def _events(values: Sequence[Segments]) -> list[list[tuple[int, int]]]:
    """Groups of (value, element) that are meant to be the same."""
    flat = [(owner, place) for owner, value in enumerate(values) for place in range(len(value))]
    position = {pair: k for k, pair in enumerate(flat)}
    similarity = {}
    for (a, first), (b, second) in itertools.combinations(enumerate(values), 2):
        table = _common_time(first, second)
        for i, j in np.argwhere(table > 0).tolist():
            # Of two that cover the same time, the one of the same class is meant.
            is_same = first[i]["label"] == second[j]["label"]
            similarity[position[a, i], position[b, j]] = float(table[i, j]) * (1.0 if is_same else 0.9)
    return [[flat[k] for k in group] for group in grouped([owner for owner, _ in flat], similarity, least=SAME)]


def _overlaps(a: Segments, b: Segments) -> npt.NDArray[np.float64]:
    table = _common_time(a, b)
    for field, kept in (("label", 0.0), ("text", OTHER_TEXT)):
        one, other = (np.array([segment.get(field, "") for segment in value], dtype=object) for value in (a, b))
        table = np.where(one[:, None] == other[None, :], table, kept * table)
    return table


def _common_time(a: Segments, b: Segments) -> npt.NDArray[np.float64]:
    """Shape (len(a), len(b)): seconds that both cover as a share of those that either does."""
    starts, ends = (
        [np.array([segment[edge] for segment in value], dtype=np.float64) for value in (a, b)]
        for edge in ("start", "end")
    )
    both = np.minimum(ends[0][:, None], ends[1]) - np.maximum(starts[0][:, None], starts[1])
    either = np.maximum(ends[0][:, None], ends[1]) - np.minimum(starts[0][:, None], starts[1])
    share: npt.NDArray[np.float64] = np.maximum(both, 0.0) / either
    return share
