"""What an answer that marks stretches of a text is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cmp_to_key
from typing import Any, ClassVar

from labelmill.domain.attribute_merging import attribute_key, merged_attributes
from labelmill.domain.attributes import Attribute
from labelmill.domain.item import Item
from labelmill.domain.matching import unmatched_share
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels._attributes import attributes_of, exemplified, with_attributes
from labelmill.labels._lists import listed
from labelmill.labels._weights import checked_weights

__all__ = ["Span"]

KEYS = ("start", "end", "label")

SAME = 0.5
"""Two spans with this overlap (intersection over union) or more are two opinions on one."""

EPSILON = 1e-9

Marked = dict[str, Any]
"""`{"start": int, "end": int, "label": str}`."""


class Span:
    """Stretches of a text, each with a class; the value is a list of `{"start", "end", "label"}`, `[]` for none.

    Offsets count Unicode code points from 0 and are half-open: `text[start:end]` is what is marked. Spans may overlap;
    the same span with the same class stands once. A span may have `"attributes"`, a mapping of what the schema
    declares. They are sorted by start, end and class order.

    Parameters
    ----------
    classes : sequence of str
        Class order of merged values; without it, the order that the values themselves have.
    attributes : sequence of Attribute
        What spans tell besides their class, as the schema declares it.
    """

    name: ClassVar[str] = "span"
    widget: ClassVar[str] = "labelmill-span"

    def __init__(self, *, classes: Sequence[str] = (), attributes: Sequence[Attribute] = ()) -> None:
        self.classes = classes
        self.attributes = attributes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> list[Marked]:
        """The spans of a list of mappings, or of its JSON text, in order.

        Parameters
        ----------
        item : Item, optional
            Whose text the spans must lie in.

        Raises
        ------
        SchemaError
            If a span lacks a key or has an unknown one, names no class, is empty, reversed or outside the text, stands
            twice, has an attribute that the schema does not allow or lacks one it requires. The message names the span
            by its position in the list, from 0, and the field.

        Examples
        --------
        >>> Span().validate('[{"start": 0, "end": 4, "label": "LOC"}]', LabelSchema("name", ("PER", "LOC")))
        [{'start': 0, 'end': 4, 'label': 'LOC'}]
        """
        length = None if item is None else len(item.text)
        parts = listed(value, lambda other: _no_list(other, schema))
        spans = [_span(part, i, schema, length) for i, part in enumerate(parts)]
        order = {name: k for k, name in enumerate(schema.classes)}
        spans.sort(key=lambda span: (span["start"], span["end"], order[span["label"]]))
        for i, span in enumerate(spans[1:], 1):
            if _key(span) == _key(spans[i - 1]):
                raise SchemaError(f"{span} stands twice in an answer to {schema.name!r}: give each span once")
        return spans

    def distance(self, a: Sequence[Marked], b: Sequence[Marked]) -> float:
        """1 minus F1 where a pair of spans of one class counts by its overlap (intersection over union).

        Spans are paired one to one, for the greatest total overlap; two empty answers are equal. Attributes count only
        where they are declared to.
        """
        return 0.0 if a == b else unmatched_share(a, b, with_attributes(_likeness, self.attributes))

    def merge(self, values: Sequence[Sequence[Marked]], weights: Sequence[float]) -> list[Marked]:
        """The spans that more than half of the weight marks, each from the weighted median start to the median end.

        Spans of one class that overlap by half are opinions on the same one; each value has one opinion at most.
        Attributes are voted on by those who marked it. The order of the values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        checked = checked_weights(values, weights)
        if all(value == values[0] for value in values):
            return [dict(span) for span in values[0]]
        half = math.fsum(checked) / 2
        kept = {}
        for group in _groups(values, checked):
            if math.fsum(weight for _, weight in group) > half + EPSILON:
                span = _middle(group)
                told = merged_attributes([s for s, _ in group], [w for _, w in group], span["label"], self.attributes)
                kept[_key(span)] = span | told
        return self._sorted(list(kept.values()), values)

    def examples(self, schema: LabelSchema) -> list[list[Marked]]:
        """Some valid values, for promise suites and forms."""
        first, last = schema.classes[0], schema.classes[-1]
        one = {"start": 0, "end": 4, "label": first}
        values = [
            [],
            [one],
            [{"start": 0, "end": 6, "label": last}],
            [one, {"start": 2, "end": 9, "label": last}],
            [one, {"start": 5, "end": 9, "label": first}, {"start": 12, "end": 13, "label": last}],
        ]
        return exemplified(values, schema)

    def _sorted(self, spans: list[Marked], values: Sequence[Sequence[Marked]]) -> list[Marked]:
        """By start, end and class order; classes the kind was not told of in the order the values put them."""
        place = {name: k for k, name in enumerate(self.classes)}

        orders = [[_key(span) for span in value] for value in values]

        def compare(a: Marked, b: Marked) -> int:
            for order in orders:
                if _key(a) in order and _key(b) in order:
                    return -1 if order.index(_key(a)) < order.index(_key(b)) else 1
            return 0

        spans.sort(key=lambda span: span["label"])
        spans.sort(key=cmp_to_key(compare))
        return sorted(spans, key=lambda span: (span["start"], span["end"], place.get(span["label"], len(place))))


def _key(span: Marked) -> tuple[int, int, str]:
    return span["start"], span["end"], span["label"]


def _no_list(value: Any, schema: LabelSchema) -> SchemaError:
    return SchemaError(
        f"{value!r:.80} is no answer to {schema.name!r}: expected a list of spans, or its JSON, such as "
        f'[{{"start": 0, "end": 4, "label": "{schema.classes[0]}"}}]; [] for none'
    )


def _span(part: Any, position: int, schema: LabelSchema, length: int | None) -> Marked:
    place = f"span {position} of an answer to {schema.name!r}"
    if not isinstance(part, Mapping):
        raise SchemaError(f"{place} is {part!r:.60}: expected a mapping with {', '.join(KEYS)}")
    for key in KEYS:
        if key not in part:
            raise SchemaError(f"{place} has no {key!r}: expected {', '.join(KEYS)}")
    for key in part:
        if key not in KEYS and key != "attributes":
            raise SchemaError(f"{place} has an unknown key {key!r:.60}: expected {', '.join(KEYS)}")
    start, end = (_offset(part[key], key, place) for key in ("start", "end"))
    if start >= end:
        raise SchemaError(f"{place}: end {end} must be greater than start {start}; end is the first character after it")
    if length is not None and end > length:
        raise SchemaError(f"{place}: end {end} lies outside the text, which has {length} characters (code points)")
    try:
        index = schema.index(part["label"])
    except SchemaError as error:
        raise SchemaError(f"{place}: label: {error}") from None
    if index == ABSTAIN:
        raise SchemaError(f"{place}: label {part['label']!r} is an abstention, which stands alone; name a class")
    label = schema.classes[index]
    told = attributes_of(part, label, schema, lambda wrong: SchemaError(f"{place}: {wrong}"))
    return {"start": start, "end": end, "label": label, **told}


def _offset(value: Any, key: str, place: str) -> int:
    try:
        offset = None if isinstance(value, bool) else value.__index__()
    except (AttributeError, TypeError):
        offset = None
    if offset is None or offset < 0:
        raise SchemaError(f"{place}: {key} must be a whole number of at least 0, found {value!r:.60}")
    return int(offset)


def _likeness(a: Marked, b: Marked) -> float:
    """Intersection over union; 0 for two classes."""
    common = min(a["end"], b["end"]) - max(a["start"], b["start"])
    if a["label"] != b["label"] or common <= 0:
        return 0.0
    return float(common / (a["end"] - a["start"] + b["end"] - b["start"] - common))


Opinion = tuple[Marked, float]


def _groups(values: Sequence[Sequence[Marked]], weights: Sequence[float]) -> list[list[Opinion]]:
    """Opinions on the same span, at most one of each value; seeded by the spans with the most weight behind them."""
    support: dict[tuple[int, int, str], list[float]] = {}
    for value, weight in zip(values, weights, strict=True):
        for span in value:
            support.setdefault(_key(span), []).append(weight)
    seeds = sorted(support, key=lambda key: (-round(math.fsum(support[key]), 9), key))
    left = [list(value) for value in values]
    groups = []
    for start, end, label in seeds:
        seed = {"start": start, "end": end, "label": label}
        if any(_key(span) == _key(seed) for spans in left for span in spans):
            groups.append(_taken(seed, left, weights))
    return groups


def _taken(seed: Marked, left: list[list[Marked]], weights: Sequence[float]) -> list[Opinion]:
    group = []
    for spans, weight in zip(left, weights, strict=True):
        near = max(spans, key=lambda span: (_likeness(seed, span), -span["start"], -span["end"]), default=None)
        if near is not None and _likeness(seed, near) >= SAME:
            spans.remove(near)
            group.append((near, weight))
    return sorted(
        group,
        key=lambda opinion: (_key(opinion[0]) != _key(seed), *_key(opinion[0]), attribute_key(opinion[0]), opinion[1]),
    )


def _middle(group: list[Opinion]) -> Marked:
    """Weighted median start and end; the first one where these would be empty."""
    start, end = (_median([(span[key], weight) for span, weight in group]) for key in ("start", "end"))
    seed = group[0][0]
    if start >= end:
        start, end = seed["start"], seed["end"]
    return {"start": start, "end": end, "label": seed["label"]}


def _median(weighed: list[tuple[int, float]]) -> int:
    """The smallest number with half of the weight at or below it."""
    half = math.fsum(weight for _, weight in weighed) / 2
    for number in sorted({number for number, _ in weighed}):
        if math.fsum(weight for other, weight in weighed if other <= number) >= half - EPSILON:
            return number
    return max(number for number, _ in weighed)
