"""Is it a list of segments? If not, which field of which element is wrong."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

from labelmill.domain.item import Item
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels._attributes import attributes_of
from labelmill.labels._lists import listed

__all__ = ["checked_segments"]

FIELDS = ("label", "start", "end", "text", "attributes")

SLACK = 1e-6
"""Seconds: durations read from files are rounded; an end so little past them is put back to them."""


LATEST = 1e12
"""Seconds; what lies beyond is a mistake, infinity included."""


def checked_segments(value: Any, schema: LabelSchema, item: Item | None) -> list[dict[str, Any]]:
    """The segments in the order given, labels as names and times as floats.

    Raises
    ------
    SchemaError
        If it is no list of segments; names the element and its field.
    """
    duration = _duration(item)
    found: list[dict[str, Any]] = []
    marked: list[dict[str, Any]] = []
    for place, element in enumerate(listed(value, lambda other: _unknown(other, schema))):
        segment = _segment(element, place, schema, duration)
        mark = {field: value for field, value in segment.items() if field != "attributes"}
        if mark in marked:
            raise SchemaError(f"element {place} repeats element {marked.index(mark)}: mark each segment once")
        found.append(segment)
        marked.append(mark)
    return found


def _duration(item: Item | None) -> float | None:
    """Seconds the item lasts; None where nobody said, or said something that is no number."""
    told = None if item is None else item.facts.get("duration")
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and told > 0 else None


def _unknown(value: Any, schema: LabelSchema) -> SchemaError:
    label = schema.classes[0] if schema.classes else "..."
    return SchemaError(
        f"{value!r:.80} is no answer to {schema.name!r}: expected a list of segments, or the JSON text of one such as "
        f'[{{"label": "{label}", "start": 0.5, "end": 1.25}}]; [] for none'
    )


def _segment(element: Any, place: int, schema: LabelSchema, duration: float | None) -> dict[str, Any]:
    if not isinstance(element, Mapping):
        raise SchemaError(f"element {place} is {element!r:.40}: expected a segment with the fields label, start, end")
    for field in element:
        if field not in FIELDS:
            raise SchemaError(f"element {place} has an unknown field {field!r:.40}: known are {', '.join(FIELDS)}")
    segment: dict[str, Any] = {"label": _label(element, place, schema)}
    segment["start"], segment["end"] = (_seconds(element, field, place) for field in ("start", "end"))
    if duration is not None and segment["end"] > duration:
        if segment["end"] > duration + SLACK:
            raise SchemaError(
                f"element {place}, field 'end': {segment['end']} lies past the item's duration of {duration} seconds"
            )
        segment["end"] = duration
    if not segment["start"] < segment["end"]:
        raise SchemaError(
            f"element {place}, field 'end': {segment['end']} must be greater than start, {segment['start']}"
        )
    if element.get("text") is not None:
        segment["text"] = _text(element["text"], place)
    return segment | attributes_of(
        element, segment["label"], schema, lambda wrong: SchemaError(f"element {place}, field {wrong}")
    )


def _label(element: Mapping[str, Any], place: int, schema: LabelSchema) -> str:
    if "label" not in element:
        raise SchemaError(f"element {place} lacks the field 'label': expected one of {', '.join(schema.classes)}")
    try:
        index = schema.index(element["label"])
    except SchemaError as error:
        raise SchemaError(f"element {place}, field 'label': {error}") from None
    if index == ABSTAIN:
        raise SchemaError(f"element {place}, field 'label': an abstention stands alone, in place of the whole list")
    return schema.classes[index]


def _seconds(element: Mapping[str, Any], field: str, place: int) -> float:
    if field not in element:
        raise SchemaError(f"element {place} lacks the field {field!r}: expected seconds from the beginning")
    value = element[field]
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= LATEST:
        raise SchemaError(f"element {place}, field {field!r}: expected seconds of at least 0, found {value!r:.40}")
    return float(value) + 0.0


def _text(value: Any, place: int) -> str:
    if not isinstance(value, str):
        raise SchemaError(f"element {place}, field 'text': expected a text, found {value!r:.40}")
    return value
