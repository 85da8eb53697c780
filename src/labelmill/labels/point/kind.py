"""What an answer that is a list of points is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from labelmill.domain.attribute_merging import attribute_key
from labelmill.domain.attributes import Attribute
from labelmill.domain.item import Item
from labelmill.domain.matching import unmatched_share
from labelmill.domain.schema import LabelSchema
from labelmill.domain.shape_merging import weighted_point
from labelmill.domain.shapes import apart_table
from labelmill.errors import UsageError
from labelmill.labels._attributes import attributes_of, exemplified, with_attributes
from labelmill.labels._merging import merged_shapes
from labelmill.labels._shapes import class_name, image_size, inside, number, score_of, shapes_of

__all__ = ["Point"]

EXAMPLE = '{"label": "eye", "x": 10, "y": 20}'

REACH = 0.05
"""Share of the image's diagonal at which two points have nothing in common any more."""

Value = list[dict[str, Any]]


class Point:
    """Points with a class each, in pixels of the original image; `[]` for "looked, nothing is there".

    A point is `{"label", "x", "y"}`, and optionally `score`, 0 to 1, how sure a model is of it. A point on the border
    of its image is fine; up to a pixel over it is moved onto it; more is refused. A point may have `attributes`, a
    mapping of what the schema declares. Points are sorted by x, y, class.

    Parameters
    ----------
    classes : sequence of str
        Class order, for ties in a merge.
    reach : float, optional
        Pixels at which two points have nothing in common any more. Without it a twentieth of the diagonal of the
        smallest image, from its corner at 0, 0, that holds all points at hand.
    attributes : sequence of Attribute
        What points tell besides their class, as the schema declares it.

    Raises
    ------
    UsageError
        If the reach is not above 0.
    """

    name: ClassVar[str] = "point"
    widget: ClassVar[str] = "labelmill-point"

    def __init__(
        self, *, classes: Sequence[str] = (), reach: float | None = None, attributes: Sequence[Attribute] = ()
    ) -> None:
        if reach is not None and not (math.isfinite(reach) and reach > 0):
            raise UsageError(f"reach must be a number of pixels above 0, found {reach}")
        self.classes = classes
        self.reach = reach
        self.attributes = attributes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> Value:
        """The points of a list, or of its JSON text, as floats and sorted.

        Raises
        ------
        SchemaError
            If it is no list of points, or a point has an unknown class or field, a number that is none, an attribute
            that the schema does not allow, or lacks one it requires, or lies outside the image (where the item's facts
            tell its width and height). Names the point, from 0, and the field.

        Examples
        --------
        >>> Point().validate('[{"label": "cat", "x": 1, "y": 2}]', LabelSchema("animals", ("cat", "dog"), kind="point"))
        [{'label': 'cat', 'x': 1.0, 'y': 2.0}]
        """
        size = image_size(item)
        points = []
        for shape, complain in shapes_of(
            value, schema, what="point", needed=("label", "x", "y"), optional=("score", "attributes"), example=EXAMPLE
        ):
            label = class_name(shape, schema, complain)
            x, y = (number(shape[field], field, complain) for field in ("x", "y"))
            x, y = inside(x, y, size, "it", complain)
            told = score_of(shape, complain) | attributes_of(shape, label, schema, complain)
            points.append({"label": label, "x": x, "y": y, **told})
        return sorted(points, key=_place)

    def distance(self, a: Value, b: Value) -> float:
        """One minus the soft F1 of the points: 1 - 2 (summed nearness of matched pairs) / (|a| + |b|).

        The nearness of two points of one class falls evenly from 1 at the same place to 0 at `reach`. Pairs are matched
        one to one for the greatest sum. Scores do not count, and attributes only where they are declared to.
        """
        reach = self._reach([*a, *b])

        def alike(p: Mapping[str, Any], q: Mapping[str, Any]) -> float:
            return float(_near([p], [q], reach)[0, 0]) if p["label"] == q["label"] else 0.0

        return unmatched_share(a, b, with_attributes(alike, self.attributes))

    def merge(self, values: Sequence[Value], weights: Sequence[float]) -> Value:
        """The objects that more than half of the weight has marked, each at the weighted mean of its marks.

        Attributes are voted on by those who marked it.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        reach = self._reach([point for value in values for point in value])
        merged = merged_shapes(
            values,
            weights,
            similarity=lambda a, b: _near(a, b, reach),
            locate=weighted_point,
            classes=self.classes,
            attributes=self.attributes,
        )
        return sorted(merged, key=_place)

    def examples(self, schema: LabelSchema) -> list[Value]:
        """Some valid values, for promise suites and forms."""
        first, last = schema.classes[0], schema.classes[-1]
        near, far = {"label": first, "x": 10.0, "y": 20.0}, {"label": last, "x": 160.5, "y": 120.0}
        return exemplified([[], [near], [{**near, "x": 14.0}, far], [far]], schema)

    def _reach(self, points: Value) -> float:
        if self.reach is not None:
            return self.reach
        width, height = (max((abs(p[axis]) for p in points), default=0.0) for axis in ("x", "y"))
        return REACH * math.hypot(max(width, 1.0), max(height, 1.0))


def _near(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]], reach: float) -> npt.NDArray[np.float64]:
    return np.maximum(1.0 - apart_table(a, b) / reach, 0.0)


def _place(point: Mapping[str, Any]) -> tuple[Any, ...]:
    return point["x"], point["y"], point["label"], point.get("score", -1.0), attribute_key(point)
