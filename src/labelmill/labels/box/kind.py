"""What an answer that is a list of boxes is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from labelmill.domain.attribute_merging import attribute_key
from labelmill.domain.attributes import Attribute
from labelmill.domain.item import Item
from labelmill.domain.matching import unmatched_in
from labelmill.domain.schema import LabelSchema
from labelmill.domain.shape_merging import LEAST_SIDE, weighted_box
from labelmill.domain.shapes import iou_table
from labelmill.labels._attributes import attributes_of, exemplified, kept_shares
from labelmill.labels._merging import merged_shapes
from labelmill.labels._shapes import (
    FARTHEST,
    Complaint,
    class_name,
    common_areas,
    image_size,
    inside,
    number,
    score_of,
    shapes_of,
)

__all__ = ["Box"]

EXAMPLE = '{"label": "cat", "x": 10, "y": 20, "width": 30, "height": 40}'

Value = list[dict[str, Any]]


class Box:
    """Boxes with a class each, in pixels of the original image; `[]` for "looked, nothing is there".

    A box is `{"label", "x", "y", "width", "height"}` with its top left corner at x, y. Optional: `rotation` in degrees,
    clockwise about the centre (a box has no front: 0 to below 180), and `score`, 0 to 1, how sure a detector is of this
    box. A box that touches the border of its image is fine; up to a pixel over it is cut; more is refused. A rotated
    box only needs its centre on the image. A box may have `attributes`, a mapping of what the schema declares. Boxes
    are sorted by x, y, width, height, rotation, class.

    Parameters
    ----------
    classes : sequence of str
        Class order, for ties in a merge.
    attributes : sequence of Attribute
        What boxes tell besides their class, as the schema declares it.
    """

    name: ClassVar[str] = "box"
    widget: ClassVar[str] = "labelmill-box"

    def __init__(self, *, classes: Sequence[str] = (), attributes: Sequence[Attribute] = ()) -> None:
        self.classes = classes
        self.attributes = attributes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> Value:
        """The boxes of a list, or of its JSON text, as floats and sorted.

        Raises
        ------
        SchemaError
            If it is no list of boxes, or a box has an unknown class or field, no size, a number that is none, an
            attribute that the schema does not allow or lacks one it requires, or lies outside the image (where the
            item's facts tell its width and height). Names the box, from 0, and the field.

        Examples
        --------
        >>> schema = LabelSchema("animals", ("cat", "dog"), kind="box")
        >>> Box().validate('[{"label": "cat", "x": 1, "y": 2, "width": 3, "height": 4}]', schema)
        [{'label': 'cat', 'x': 1.0, 'y': 2.0, 'width': 3.0, 'height': 4.0}]
        """
        found = shapes_of(
            value,
            schema,
            what="box",
            needed=("label", "x", "y", "width", "height"),
            optional=("rotation", "score", "attributes"),
            example=EXAMPLE,
        )
        size = image_size(item)
        return sorted((_box(shape, schema, size, complain) for shape, complain in found), key=_place)

    def distance(self, a: Value, b: Value) -> float:
        """One minus the soft F1 of the boxes: 1 - 2 (summed IoU of matched pairs) / (|a| + |b|).

        Pairs are matched one to one for the greatest sum; boxes of different classes have nothing in common. Scores do
        not count, and attributes only where they are declared to.
        """
        return unmatched_in(common_areas(a, b) * kept_shares(a, b, self.attributes))

    def merge(self, values: Sequence[Value], weights: Sequence[float]) -> Value:
        """The objects that more than half of the weight has drawn, at the weighted mean of their edges.

        Drawings belong to the same object by `labelmill.domain.clusters.one_of_each`, whatever their attributes, which
        are voted on by those who drew it (`labelmill.domain.attribute_merging`). What is merged has no score.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.
        """
        merged = merged_shapes(
            values,
            weights,
            similarity=iou_table,
            locate=weighted_box,
            classes=self.classes,
            attributes=self.attributes,
        )
        return sorted(merged, key=_place)

    def examples(self, schema: LabelSchema) -> list[Value]:
        """Some valid values, for promise suites and forms."""
        first, last = schema.classes[0], schema.classes[-1]
        small = {"label": first, "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}
        large = {"label": last, "x": 60.5, "y": 12.0, "width": 80.0, "height": 50.25}
        turned = {"label": first, "x": 150.0, "y": 90.0, "width": 40.0, "height": 20.0, "rotation": 30.0}
        return exemplified([[], [small], [{**small, "x": 14.0}, large], [large], [turned]], schema)


def _box(
    shape: Mapping[str, Any], schema: LabelSchema, size: tuple[float, float] | None, complain: Complaint
) -> dict[str, Any]:
    label = class_name(shape, schema, complain)
    x, y = (number(shape[field], field, complain) for field in ("x", "y"))
    width, height = (
        number(shape[field], field, complain, least=-FARTHEST, most=FARTHEST) for field in ("width", "height")
    )
    _check_sides(width, height, complain)
    turned = number(shape.get("rotation") or 0.0, "rotation", complain) % 180.0
    if turned:
        inside(x + width / 2, y + height / 2, size, "its centre", complain)
    elif size is not None:
        x, y, width, height = _cut(x, y, width, height, size, complain)
    box: dict[str, Any] = {"label": label, "x": x, "y": y, "width": width, "height": height}
    if turned:
        box["rotation"] = turned
    return box | score_of(shape, complain) | attributes_of(shape, label, schema, complain)


def _check_sides(width: float, height: float, complain: Complaint) -> None:
    for side, field in ((width, "width"), (height, "height")):
        if side < LEAST_SIDE:
            raise complain(f"{field} must be at least {LEAST_SIDE:g} pixels, found {side:g}: leave the box out")


def _cut(
    x: float, y: float, width: float, height: float, size: tuple[float, float], complain: Complaint
) -> tuple[float, float, float, float]:
    left, top = inside(x, y, size, "its top left corner", complain)
    right, bottom = inside(x + width, y + height, size, "its bottom right corner", complain)
    if (left, top, right, bottom) != (x, y, x + width, y + height):
        width, height = right - left, bottom - top
        _check_sides(width, height, complain)
    return left, top, width, height


def _place(box: Mapping[str, Any]) -> tuple[Any, ...]:
    corner = (box["x"], box["y"], box["width"], box["height"])
    return *corner, box.get("rotation", 0.0), box["label"], box.get("score", -1.0), attribute_key(box)
