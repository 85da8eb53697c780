"""Attributes of shapes and regions: reading them against the schema, and what they change in comparing shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.attribute_merging import attribute_likeness
from labelmill.domain.attributes import Attribute
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError, nearest

__all__ = ["attributes_of", "exemplified", "kept_shares", "with_attributes"]

Shape = Mapping[str, Any]
Complaint = Callable[[str], SchemaError]


def attributes_of(shape: Shape, label: str, schema: LabelSchema, complain: Complaint) -> dict[str, dict[str, Any]]:
    """`{"attributes": {...}}` of a shape, to be joined to it, in the order of the schema; empty where it has none.

    An attribute that is null, or a blank text, is not given.

    Parameters
    ----------
    shape : mapping
        As it was given; `shape["attributes"]`, if there is any, maps names to values.
    label : str
        The shape's class, by name.
    complain : callable
        Makes the error for this shape, from what is wrong with it.

    Raises
    ------
    SchemaError
        If an attribute is unknown, not for this class, or required and missing, or its value is none.
    """
    told = shape.get("attributes")
    if told is None and not schema.attributes:
        return {}
    if told is not None and not isinstance(told, Mapping):
        raise complain(f'attributes: expected an object such as {{"occluded": true}}, found {told!r:.60}')
    given = {name: value for name, value in (told or {}).items() if value is not None and not _is_blank(value)}
    by_name = {attribute.name: attribute for attribute in schema.attributes}
    for name in given:
        _check_name(name, label, by_name, complain)
    found = {name: _value(given[name], one, complain) for name, one in by_name.items() if name in given}
    for one in schema.attributes:
        if one.required and one.is_for(label) and one.name not in found:
            raise complain(f"attributes: {one.name!r} is required for {label!r}: give {_expected(one)}")
    return {"attributes": found} if found else {}


def with_attributes(
    alike: Callable[[Any, Any], float], attributes: Sequence[Attribute]
) -> Callable[[Shape, Shape], float]:
    """The likeness of two shapes, less where attributes that count differ; as it is where none counts."""
    if not any(attribute.counts for attribute in attributes):
        return alike
    return lambda a, b: alike(a, b) * attribute_likeness(a, b, attributes)


def exemplified(values: Sequence[list[dict[str, Any]]], schema: LabelSchema) -> list[list[dict[str, Any]]]:
    """Examples of a kind whose shapes give all attributes that are required, which makes them valid."""
    required = [attribute for attribute in schema.attributes if attribute.required]
    if not required:
        return list(values)
    return [[shape | _examples(required, shape["label"]) for shape in value] for value in values]


def _examples(attributes: Sequence[Attribute], label: str) -> dict[str, dict[str, Any]]:
    found = {attribute.name: _example(attribute) for attribute in attributes if attribute.is_for(label)}
    return {"attributes": found} if found else {}


def _example(attribute: Attribute) -> Any:
    if attribute.kind == "number":
        least = -math.inf if attribute.least is None else attribute.least
        return max(least, min(0.0, math.inf if attribute.most is None else attribute.most))
    return {"choice": attribute.options[:1], "yes_no": (True,), "text": ("well",)}[attribute.kind][0]


def kept_shares(a: Sequence[Shape], b: Sequence[Shape], attributes: Sequence[Attribute]) -> npt.NDArray[np.float64]:
    """The share of its likeness that each pair of shapes keeps, shape (|a|, |b|): 1 where no attribute counts."""
    if not any(attribute.counts for attribute in attributes):
        return np.ones((len(a), len(b)))
    kept = [[attribute_likeness(x, y, attributes) for y in b] for x in a]
    return np.array(kept, dtype=np.float64).reshape(len(a), len(b))


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _check_name(name: Any, label: str, known: Mapping[str, Attribute], complain: Complaint) -> None:
    if not known:
        raise complain(
            f"attributes: {name!r:.60} is not declared, nor is any other: declare attributes in labelmill.toml, each "
            "under [[schema.attributes]]"
        )
    if name not in known:
        raise complain(f"attributes: unknown attribute {name!r:.60}: {nearest(str(name), known)}")
    if not known[name].is_for(label):
        others = ", ".join(known[name].classes)
        raise complain(f"attributes: {name!r} is not for {label!r}, only for {others}: leave it out")


def _value(value: Any, attribute: Attribute, complain: Complaint) -> Any:
    def refused(why: str) -> SchemaError:
        return complain(f"attributes: {attribute.name!r}: {why}")

    if attribute.kind == "number":
        return _number(value, attribute, refused)
    if attribute.kind == "yes_no":
        if not isinstance(value, bool):
            raise refused(f"expected true or false, found {value!r:.60}")
        return value
    if not isinstance(value, str):
        raise refused(f"expected {_expected(attribute)}, found {value!r:.60}")
    if attribute.kind == "choice" and value not in attribute.options:
        raise refused(f"unknown option {value!r:.60}: {nearest(value, attribute.options)}")
    for position, character in enumerate(value):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise refused(f"character {position} is {character!r}, which files and databases do not keep; take it out")
    return value


def _number(value: Any, attribute: Attribute, refused: Complaint) -> float:
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise refused(f"expected {_expected(attribute)}, found {value!r:.60}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise refused(f"expected {_expected(attribute)}, found {value!r:.60}") from None
    low = -math.inf if attribute.least is None else attribute.least
    high = math.inf if attribute.most is None else attribute.most
    if not (math.isfinite(number) and low <= number <= high):
        raise refused(f"expected {_expected(attribute)}, found {number:g}")
    return number + 0.0


def _expected(attribute: Attribute) -> str:
    if attribute.kind == "choice":
        return f"one of {', '.join(attribute.options)}"
    if attribute.kind == "yes_no":
        return "true or false"
    if attribute.kind == "text":
        return "a text"
    least = "" if attribute.least is None else f" from {attribute.least:g}"
    most = "" if attribute.most is None else f" to {attribute.most:g}"
    return f"a number{least}{most}"
