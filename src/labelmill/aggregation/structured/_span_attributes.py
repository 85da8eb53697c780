"""Attributes of merged spans, from those who marked them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelmill.aggregation.structured._span_tokens import Key, key_of
from labelmill.domain.attribute_merging import merged_attributes
from labelmill.domain.attributes import Attribute

__all__ = ["with_attributes"]

Marked = Mapping[str, Any]


def with_attributes(
    spans: Sequence[Key], answers: Sequence[tuple[Sequence[Marked], float]], attributes: Sequence[Attribute]
) -> list[dict[str, Any]]:
    """The spans as their kind has them, with what those who marked them say.

    Of each answer the span of the same class counts that has most in common with the merged one.

    Parameters
    ----------
    answers : sequence of (list of span, weight)
    """
    plain = [{"start": span.start, "end": span.end, "label": span.label} for span in spans]
    if not any("attributes" in mark for marks, _ in answers for mark in marks):
        return plain
    return [span | _told(key, answers, attributes) for key, span in zip(spans, plain, strict=True)]


def _told(
    span: Key, answers: Sequence[tuple[Sequence[Marked], float]], attributes: Sequence[Attribute]
) -> dict[str, dict[str, Any]]:
    drawings, weights = [], []
    for marks, weight in answers:
        nearest = max(
            marks, key=lambda mark: (_in_common(span, key_of(mark)), -mark["start"], -mark["end"]), default=None
        )
        if nearest is not None and _in_common(span, key_of(nearest)) > 0:
            drawings.append(nearest)
            weights.append(weight)
    return merged_attributes(drawings, weights, span.label, attributes)


def _in_common(a: Key, b: Key) -> float:
    """Intersection over union; 0 for two classes."""
    both = min(a.end, b.end) - max(a.start, b.start)
    if a.label != b.label or both <= 0:
        return 0.0
    return both / (a.end - a.start + b.end - b.start - both)
