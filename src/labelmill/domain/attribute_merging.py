"""Attributes of shapes: how far two are apart, and what many who drew the same object say together."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from labelmill.domain.attributes import Attribute, seen_attributes
from labelmill.domain.medians import middle_pair
from labelmill.domain.rover import text_distance, voted_text

__all__ = ["attribute_difference", "attribute_key", "attribute_likeness", "merged_attributes"]

OTHER_ATTRIBUTES = 0.5
"""Share of their likeness that two shapes keep that differ in all attributes that count."""

ROUNDING = 1e-12

Shape = Mapping[str, Any]


def attribute_difference(attribute: Attribute, a: Any, b: Any) -> float:
    """How far two values of an attribute are apart, 0 to 1; symmetric.

    None stands for none: none at all differs by 1 from any value. Choices and yes or no are equal or differ by 1,
    numbers differ by their share of the span between the limits, without limits by |a - b| / (|a| + |b|) (Lance and
    Williams 1967, https://doi.org/10.1093/comjnl/9.4.373), texts by their words.
    """
    if a is None or b is None:
        return float(a is not b)
    if attribute.kind == "number":
        return _number_difference(attribute, float(a), float(b))
    return text_distance(a, b) if attribute.kind == "text" else float(a != b)


def attribute_likeness(a: Shape, b: Shape, attributes: Sequence[Attribute]) -> float:
    """Share of their likeness that two shapes keep: 1, or less where attributes that count differ.

    Attributes that do not count, or belong to neither class, move nothing.
    """
    counted = [one for one in attributes if one.counts and (one.is_for(a["label"]) or one.is_for(b["label"]))]
    if not counted:
        return 1.0
    here, there = (shape.get("attributes", {}) for shape in (a, b))
    apart = [attribute_difference(one, here.get(one.name), there.get(one.name)) for one in counted]
    return 1.0 - (1.0 - OTHER_ATTRIBUTES) * math.fsum(apart) / len(apart)


def merged_attributes(
    drawings: Sequence[Shape], weights: Sequence[float], label: str, attributes: Sequence[Attribute] = ()
) -> dict[str, dict[str, Any]]:
    """`{"attributes": {...}}` of the object that these drawings are of; empty where it has none.

    Choices by weighted vote, ties to the first option; yes where more than half of the weight says so; numbers by
    weighted median, the mean of two in the middle; a text that has more than half of the weight stays as it is, others
    are voted on word by word (ROVER). Drawings of another class count for what that class has too. What is not required
    and more than half of the weight left out is left out. The order of the drawings changes nothing.

    Parameters
    ----------
    drawings : sequence of mapping
        Shapes as their kind has them, one of each who drew the object.
    weights : sequence of float
        One for each, at least 0; all 0: nobody is trusted more than another.
    label : str
        The object's class.
    attributes : sequence of Attribute
        As declared; without any, as they seem to be (`seen_attributes`).
    """
    if not any("attributes" in drawing for drawing in drawings):
        return {}
    trust = list(weights) if any(weights) else [1.0] * len(drawings)
    merged = {}
    for attribute in attributes or seen_attributes(drawing.get("attributes") for drawing in drawings):
        if attribute.is_for(label):
            value = _merged_value(attribute, drawings, trust)
            if value is not None:
                merged[attribute.name] = value
    return {"attributes": merged} if merged else {}


def attribute_key(shape: Shape) -> str:
    """What puts shapes in order that differ in nothing else; empty without attributes."""
    return json.dumps(shape["attributes"], sort_keys=True) if "attributes" in shape else ""


def _number_difference(attribute: Attribute, a: float, b: float) -> float:
    if attribute.least is not None and attribute.most is not None and attribute.most > attribute.least:
        return min(abs(a - b) / (attribute.most - attribute.least), 1.0)
    return abs(a - b) / (abs(a) + abs(b)) if a != b else 0.0


def _merged_value(attribute: Attribute, drawings: Sequence[Shape], weights: Sequence[float]) -> Any:
    asked = [(one, weight) for one, weight in zip(drawings, weights, strict=True) if attribute.is_for(one["label"])]
    told = [(one.get("attributes", {}).get(attribute.name), weight) for one, weight in asked]
    said = sorted(((value, weight) for value, weight in told if value is not None), key=lambda p: (repr(p[0]), p[1]))
    trust = [weight for _, weight in said]
    whole = math.fsum(weight for _, weight in asked)
    if not said or (not attribute.required and math.fsum(trust) < whole / 2 * (1 - ROUNDING)):
        return None
    return _voted(attribute, [value for value, _ in said], trust if any(trust) else [1.0] * len(said))


def _voted(attribute: Attribute, values: list[Any], weights: list[float]) -> Any:
    if attribute.kind == "number":
        low, high = middle_pair(values, weights, key=float)
        return low if low == high else low / 2 + high / 2
    shares: dict[Any, list[float]] = {}
    for value, weight in zip(values, weights, strict=True):
        shares.setdefault(value, []).append(weight)
    total = {value: math.fsum(share) for value, share in shares.items()}
    whole = math.fsum(weights)
    if attribute.kind == "yes_no":
        return total.get(True, 0.0) > whole / 2 * (1 + ROUNDING)
    place = {option: i for i, option in enumerate(attribute.options)}
    best: str = min(total, key=lambda value: (-round(total[value], 12), place.get(value, len(place)), value))
    if attribute.kind == "text" and total[best] <= whole / 2 * (1 + ROUNDING):
        return voted_text(values, weights)
    return best
