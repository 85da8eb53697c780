from __future__ import annotations

from typing import Any

import pytest

from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError, UsageError
from labelmill.labels.box import Box
from labelmill.labels.point import Point
from labelmill.labels.polygon import Polygon

SCHEMA = LabelSchema("animals", ("cat", "dog"), kind="box", modality="image")
IMAGE = Item("a", "a.jpg", facts={"width": 100, "height": 80})
BOX = {"label": "cat", "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}
POINT = {"label": "cat", "x": 10.0, "y": 20.0}
POLYGON = {"label": "cat", "points": [[0.0, 0.0], [40.0, 0.0], [0.0, 30.0]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": float("nan")}, "box 1 x must be between"),
        ({"y": "12"}, "box 1 y must be a number, found '12'"),
        ({"x": True}, "box 1 x must be a number"),
        ({"width": 0.0}, "box 1 width must be at least 0.001 pixels, found 0"),
        ({"height": -3}, "box 1 height must be at least"),
        ({"label": "cow"}, "box 1 label: unknown class 'cow'"),
        ({"label": None}, "box 1 label: a shape must have a class"),
        ({"w": 3}, "box 1 has the unknown field 'w': allowed are label, x, y, width, height, rotation, score"),
        ({"score": 1.5}, "box 1 score must be between 0 and 1, found 1.5"),
        ({"x": 75.0}, "box 1 its bottom right corner lies outside the image of 100 x 80 pixels: x is 105"),
        ({"y": -2.0}, "box 1 its top left corner lies outside the image"),
        ({"x": 95.0, "rotation": 30.0}, "box 1 its centre lies outside the image"),
    ],
)
def test_bad_boxes_are_named(change: dict[str, Any], message: str) -> None:
    """The message tells which box and which field, from 0."""
    with pytest.raises(SchemaError) as error:
        Box().validate([BOX, {**BOX, **change}], SCHEMA, IMAGE)

    assert message in str(error.value)


def test_a_missing_field_is_named() -> None:
    """And all that are needed."""
    with pytest.raises(SchemaError, match="box 0 has no 'height': it needs label, x, y, width, height"):
        Box().validate([{"label": "cat", "x": 1, "y": 2, "width": 3}], SCHEMA)


def test_boxes_are_cut_at_the_border() -> None:
    """Up to a pixel over it is the rounding of other tools; touching it is fine; and it is so a second time."""
    told = [{**BOX, "x": -0.5, "width": 101.0, "y": 0, "height": 80}]

    once = Box().validate(told, SCHEMA, IMAGE)

    assert once == [{"label": "cat", "x": 0.0, "y": 0.0, "width": 100.0, "height": 80.0}]
    assert once == Box().validate(once, SCHEMA, IMAGE)


def test_values_are_canonical() -> None:
    """Sorted, as floats, from JSON too, by index too; a rotation by half a turn is none; no minus zero."""
    turned = '{"label": 1, "x": 5, "y": 1, "width": 2, "height": 3, "rotation": 180}'
    text = f'[{turned}, {{"label": "cat", "x": -0.0, "y": 1, "width": 2, "height": 3}}]'

    found = Box().validate(text, SCHEMA)

    assert [box["label"] for box in found] == ["cat", "dog"]
    assert "rotation" not in found[1]
    assert str(found[0]["x"]) == "0.0"


def test_rotated_boxes_may_lean_out() -> None:
    """Only the centre must be on the image."""
    leaning = {**BOX, "x": 0.0, "y": 0.0, "rotation": 45.0}

    assert [leaning] == Box().validate([leaning], SCHEMA, IMAGE)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[0, 0], [1, 1]], "polygon 0 has 2 different points in a row, a polygon needs three"),
        ([[0, 0], [9, 9], [9, 0], [0, 9]], "crosses or touches itself: the edges that start at points 0 and 2 meet"),
        ([[0, 0], [9], [9, 0]], "point 1 must be [x, y], found [9]"),
        ([[0, 0], [9, float("inf")], [9, 0]], "point 1 must be between"),
        ([[0, 0], [150, 0], [9, 9]], "point 1 lies outside the image of 100 x 80 pixels: x is 150"),
        ([[0, 0], [0.01, 0], [0, 0.01]], "covers less than"),
        ("POLYGON", "points must be a list"),
    ],
)
def test_bad_polygons_are_named(points: Any, message: str) -> None:
    """The message tells which polygon and which point, from 0."""
    with pytest.raises(SchemaError) as error:
        Polygon().validate([{"label": "cat", "points": points}], SCHEMA, IMAGE)

    assert message in str(error.value)


def test_repeated_points_are_left_out() -> None:
    """A ring may be closed by its first point, and hold one twice in a row."""
    told = [{"label": "cat", "points": [[0, 0], [40, 0], [40, 0], [0, 30], [0, 0]]}]

    assert [POLYGON] == Polygon().validate(told, SCHEMA, IMAGE)


def test_points_stay_on_the_image() -> None:
    """A pixel over the border is moved onto it, more is refused."""
    assert Point().validate([{**POINT, "x": 100.7}], SCHEMA, IMAGE)[0]["x"] == 100.0
    with pytest.raises(SchemaError, match="point 0 it lies outside the image"):
        Point().validate([{**POINT, "x": 102.0}], SCHEMA, IMAGE)


def test_distance_counts_missed_and_misplaced() -> None:
    """Half of the boxes found exactly is half of F1 lost; classes must agree; scores do not count."""
    other = {**BOX, "x": 60.0}

    assert Box().distance([BOX, other], [BOX, {**other, "y": 500.0}]) == 0.5
    assert Box().distance([BOX], [{**BOX, "label": "dog"}]) == 1.0
    assert Box().distance([BOX], [{**BOX, "score": 0.3}]) == 0.0
    assert Box().distance([BOX], []) == 1.0


def test_nearness_of_points_has_a_reach() -> None:
    """Half the reach is half as near; a reach of nothing is refused."""
    assert Point(reach=20.0).distance([POINT], [{**POINT, "x": 20.0}]) == pytest.approx(0.5)
    with pytest.raises(UsageError, match="reach must be"):
        Point(reach=0.0)


def test_merge_is_by_majority_and_weight() -> None:
    """An object of one of three is left out; edges and class follow the weights."""
    values = [[BOX], [{**BOX, "x": 14.0, "label": "dog"}], [{**BOX, "x": 10.0}, {**BOX, "x": 65.0, "y": 0.0}]]

    merged = Box(classes=SCHEMA.classes).merge(values, [1.0, 2.0, 1.0])

    assert merged == [{"label": "cat", "x": 12.0, "y": 20.0, "width": 30.0, "height": 40.0}]


def test_polygons_merge_by_area() -> None:
    """Two of three triangles decide the outline."""
    large = {"label": "cat", "points": [[0.0, 0.0], [50.0, 0.0], [0.0, 40.0]]}

    (merged,) = Polygon().merge([[POLYGON], [POLYGON], [large]], [1.0, 1.0, 1.0])

    assert Polygon().distance([merged], [POLYGON]) < 0.03
