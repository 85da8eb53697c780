"""What an answer that is a list of polygons is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from labelmill.domain.attribute_merging import attribute_key
from labelmill.domain.attributes import Attribute
from labelmill.domain.item import Item
from labelmill.domain.matching import unmatched_in
from labelmill.domain.polygon_merging import voted_outline
from labelmill.domain.schema import LabelSchema
from labelmill.domain.shapes import area, crossing, iou_table
from labelmill.labels._attributes import attributes_of, exemplified, kept_shares
from labelmill.labels._merging import merged_shapes
from labelmill.labels._shapes import (
    Complaint,
    class_name,
    common_areas,
    image_size,
    inside,
    number,
    score_of,
    shapes_of,
)

__all__ = ["Polygon"]

EXAMPLE = '{"label": "cat", "points": [[10, 20], [40, 20], [25, 60]]}'

LEAST_AREA = 1e-3
"""Square pixels that a polygon must cover."""

Value = list[dict[str, Any]]


class Polygon:
    """Polygons with a class each, in pixels of the original image; `[]` for "looked, nothing is there".

    A polygon is `{"label", "points"}`, and optionally `score`, 0 to 1, how sure a model is of it. Points are a list of
    [x, y], three at least, in either direction; a point that repeats the one before, or the first at the end, is left
    out. The outline may neither cross nor touch itself. Points on the border of the image are fine; up to a pixel over
    it they are moved onto it; more is refused. A polygon may have `attributes`, a mapping of what the schema declares.
    Polygons are sorted by their points.

    Parameters
    ----------
    classes : sequence of str
        Class order, for ties in a merge.
    attributes : sequence of Attribute
        What polygons tell besides their class, as the schema declares it.
    """

    name: ClassVar[str] = "polygon"
    widget: ClassVar[str] = "labelmill-polygon"

    def __init__(self, *, classes: Sequence[str] = (), attributes: Sequence[Attribute] = ()) -> None:
        self.classes = classes
        self.attributes = attributes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> Value:
        """The polygons of a list, or of its JSON text, as floats and sorted.

        Raises
        ------
        SchemaError
            If it is no list of polygons, or a polygon has an unknown class or field, fewer than three points, no area,
            an outline that crosses or touches itself, a number that is none, an attribute that the schema does not
            allow, or lacks one it requires, or lies outside the image (where the item's facts tell its width and
            height). Names the polygon and the point, both from 0.

        Examples
        --------
        >>> schema = LabelSchema("animals", ("cat", "dog"), kind="polygon")
        >>> Polygon().validate([{"label": "cat", "points": [[0, 0], [4, 0], [0, 3], [0, 0]]}], schema)
        [{'label': 'cat', 'points': [[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]}]
        """
        size = image_size(item)
        polygons = []
        for shape, complain in shapes_of(
            value, schema, what="polygon", needed=("label", "points"), optional=("score", "attributes"), example=EXAMPLE
        ):
            label = class_name(shape, schema, complain)
            points = _points(shape["points"], size, complain)
            told = score_of(shape, complain) | attributes_of(shape, label, schema, complain)
            polygons.append({"label": label, "points": points, **told})
        return sorted(polygons, key=_place)

    def distance(self, a: Value, b: Value) -> float:
        """One minus the soft F1 of the polygons: 1 - 2 (summed IoU of matched pairs) / (|a| + |b|).

        Pairs are matched one to one for the greatest sum; polygons of different classes have nothing in common. Scores
        do not count, and attributes only where they are declared to.
        """
        return unmatched_in(common_areas(a, b) * kept_shares(a, b, self.attributes))

    def merge(self, values: Sequence[Value], weights: Sequence[float]) -> Value:
        """The objects that more than half of the weight has drawn, each by majority of the area.

        The outline is `labelmill.domain.polygon_merging.voted_outline`. Attributes are voted on by those who drew it.
        What is merged has no score.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        merged = merged_shapes(
            values,
            weights,
            similarity=iou_table,
            locate=voted_outline,
            classes=self.classes,
            attributes=self.attributes,
        )
        return sorted(merged, key=_place)

    def examples(self, schema: LabelSchema) -> list[Value]:
        """Some valid values, for promise suites and forms."""
        first, last = schema.classes[0], schema.classes[-1]
        corner = {"label": first, "points": [[0.0, 0.0], [40.0, 0.0], [0.0, 30.0]]}
        hook = {"label": last, "points": [[60.0, 10.0], [120.0, 10.0], [120.0, 60.0], [100.0, 60.0], [100.0, 30.0]]}
        moved = {"label": first, "points": [[2.0, 0.0], [43.0, 1.0], [0.0, 33.0]]}
        return exemplified([[], [corner], [moved, hook], [hook]], schema)


def _points(given: Any, size: tuple[float, float] | None, complain: Complaint) -> list[list[float]]:
    if not isinstance(given, list | tuple):
        raise complain(f"points must be a list of [x, y], found {given!r:.80}")
    points: list[list[float]] = []
    for index, pair in enumerate(given):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise complain(f"point {index} must be [x, y], found {pair!r:.80}")
        x, y = (number(value, f"point {index}", complain) for value in pair)
        point = list(inside(x, y, size, f"point {index}", complain))
        if not points or point != points[-1]:
            points.append(point)
    while len(points) > 1 and points[-1] == points[0]:
        points.pop()
    if len(points) < 3:
        raise complain(f"has {len(points)} different points in a row, a polygon needs three: leave it out")
    met = crossing(points)
    if met is not None:
        raise complain(f"crosses or touches itself: the edges that start at points {met[0]} and {met[1]} meet")
    if area(points) < LEAST_AREA:
        raise complain(f"covers less than {LEAST_AREA:g} square pixels: leave it out")
    return points


def _place(polygon: Mapping[str, Any]) -> tuple[Any, ...]:
    return polygon["points"], polygon["label"], polygon.get("score", -1.0), attribute_key(polygon)
