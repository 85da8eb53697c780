"""What the kinds of label that are lists of shapes share: reading them, saying which is wrong and how."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import Item
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.shapes import iou_table
from labelmill.errors import SchemaError
from labelmill.labels._lists import listed

__all__ = [
    "FARTHEST",
    "TOLERANCE",
    "Complaint",
    "class_name",
    "common_areas",
    "image_size",
    "inside",
    "number",
    "score_of",
    "shapes_of",
]

TOLERANCE = 1.0
"""Pixels that a shape may reach over the border of its image, because other tools round; it is cut at the border."""

FARTHEST = 1e7
"""Coordinates beyond so many pixels are no image's."""

Complaint = Callable[[str], SchemaError]
"""Makes the error for one shape, from what is wrong with it."""


def shapes_of(
    value: Any, schema: LabelSchema, *, what: str, needed: Collection[str], optional: Collection[str], example: str
) -> list[tuple[Mapping[str, Any], Complaint]]:
    """The shapes of a list, or of its JSON text, each with all keys it needs and none besides.

    Raises
    ------
    SchemaError
        If it is no list of objects, or an object lacks a key or has an unknown one.
    """
    found = []
    for index, shape in enumerate(listed(value, lambda other: _no_list(other, schema, what, example))):
        complain = _complaint(schema, f"{what} {index}")
        if not isinstance(shape, Mapping):
            raise complain(f"is {shape!r:.80}, expected an object such as {example}")
        missing = [key for key in needed if key not in shape]
        unknown = [key for key in shape if key not in needed and key not in optional]
        if missing:
            raise complain(f"has no {missing[0]!r}: it needs {', '.join(needed)}")
        if unknown:
            raise complain(f"has the unknown field {unknown[0]!r}: allowed are {', '.join([*needed, *optional])}")
        found.append((shape, complain))
    return found


def class_name(shape: Mapping[str, Any], schema: LabelSchema, complain: Complaint) -> str:
    """The shape's class by name."""
    try:
        index = schema.index(shape["label"])
    except SchemaError as error:
        raise complain(f"label: {error}") from None
    if index == ABSTAIN:
        raise complain("label: a shape must have a class; an abstention stands alone, in place of the list")
    return schema.classes[index]


def number(value: Any, field: str, complain: Complaint, *, least: float = -FARTHEST, most: float = FARTHEST) -> float:
    """The number in a field of a shape; never -0.0."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str | bytes):
        raise complain(f"{field} must be a number, found {value!r:.40}")
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise complain(f"{field} must be a number, found {value!r:.40}") from None
    if not (math.isfinite(found) and least <= found <= most):
        raise complain(f"{field} must be between {least:g} and {most:g}, found {found:g}")
    return found + 0.0


def score_of(shape: Mapping[str, Any], complain: Complaint) -> dict[str, float]:
    """The shape's score, 0 to 1, as the one field of a mapping; empty where it has none."""
    if shape.get("score") is None:
        return {}
    return {"score": number(shape["score"], "score", complain, least=0.0, most=1.0)}


def common_areas(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float64]:
    """IoU of each box or polygon of one answer with each of another; 0 where their classes differ."""
    here, there = (np.array([shape["label"] for shape in shapes], dtype=object) for shapes in (a, b))
    return np.where(here[:, None] == there[None, :], iou_table(a, b), 0.0)


def image_size(item: Item | None) -> tuple[float, float] | None:
    """Width and height of the item's image where both are known."""
    if item is None:
        return None
    width, height = item.facts.get("width"), item.facts.get("height")
    known = all(isinstance(side, int | float) and side > 0 for side in (width, height))
    return (float(width), float(height)) if known else None  # type: ignore[arg-type]


def inside(x: float, y: float, size: tuple[float, float] | None, field: str, complain: Complaint) -> Sequence[float]:
    """The point, cut to the image where it reaches over the border by no more than `TOLERANCE`."""
    if size is None:
        return x, y
    for found, side, name in ((x, size[0], "x"), (y, size[1], "y")):
        if not -TOLERANCE <= found <= side + TOLERANCE:
            raise complain(
                f"{field} lies outside the image of {size[0]:g} x {size[1]:g} pixels: {name} is {found:g}; "
                "give pixels of the original image"
            )
    return min(max(x, 0.0), size[0]), min(max(y, 0.0), size[1])


def _complaint(schema: LabelSchema, where: str) -> Complaint:
    return lambda wrong: SchemaError(f"{schema.name}: {where} {wrong}")


def _no_list(value: Any, schema: LabelSchema, what: str, example: str) -> SchemaError:
    return SchemaError(
        f"{value!r:.80} is no answer to {schema.name!r}: expected a list with one object for each {what}, or its JSON "
        f"text, such as [{example}]; [] where there is none"
    )
