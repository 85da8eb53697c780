from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from labelmill.domain.attributes import Attribute
from labelmill.domain.item import Item
from labelmill.domain.rle import decode, encode
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError, UsageError
from labelmill.labels.mask import Mask

SCHEMA = LabelSchema("ground", ("sky", "sea"), kind="mask", modality="image")
IMAGE = Item("a", "a.jpg", facts={"width": 4, "height": 3})
SKY = {"label": "sky", "size": [3, 4], "counts": [0, 3, 9]}
SEA = {"label": "sea", "size": [3, 4], "counts": [6, 3, 3]}


def _mask(label: str, *rows: str) -> dict[str, Any]:
    """The mask of a picture drawn with # and dots."""
    return {"label": label, **encode([[cell == "#" for cell in row] for row in rows])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "land"}, "mask 1 label: unknown class 'land'"),
        ({"size": [4, 3]}, r"mask 1 size is 4 x 3, the image is 3 x 4 \(height x width\)"),
        ({"size": [3, 4.0]}, r"mask 1 size must be \[height, width\] in whole pixels"),
        ({"size": [0, 4]}, r"mask 1 size must be \[height, width\]"),
        ({"size": "34"}, r"mask 1 size must be \[height, width\]"),
        ({"counts": [6, 3, 4]}, "mask 1 counts .* tells of 13 pixels, the mask has 12"),
        ({"counts": "6~"}, "mask 1 counts '6~' is no packed run lengths"),
        ({"counts": 7}, "mask 1 counts must be COCO's packed text or a list"),
        ({"counts": [12]}, "mask 1 covers no pixel: leave it out"),
        ({"counts": [2, 4, 6]}, r"mask 1 \(sea\) covers 1 pixels that mask 0 \(sky\) covers too: a pixel belongs to"),
        ({"area": 3}, "mask 1 has the unknown field 'area': allowed are label, size, counts, score, attributes"),
        ({"score": 2}, "mask 1 score must be between 0 and 1"),
    ],
)
def test_bad_masks_are_named(change: dict[str, Any], message: str) -> None:
    """The message tells which mask and what of it, from 0."""
    with pytest.raises(SchemaError, match=message):
        Mask().validate([SKY, SEA | change], SCHEMA, IMAGE)


def test_masks_of_an_answer_are_of_one_size() -> None:
    """Also where the size of the image is not known."""
    with pytest.raises(SchemaError, match="mask 1 size is 4 x 3, that of mask 0 3 x 4"):
        Mask().validate([SKY, SEA | {"size": [4, 3]}], SCHEMA)


def test_masks_are_packed_and_sorted() -> None:
    """Lists and texts of run lengths become the packed text; the first pixel decides the order; JSON text will do."""
    given = [SEA | {"score": 0.5}, SKY | {"counts": [0, 2, 0, 1, 9]}]

    found = Mask().validate(json.dumps(given), SCHEMA, IMAGE)

    assert ["sky", "sea"] == [mask["label"] for mask in found]
    assert found == Mask().validate(found, SCHEMA, IMAGE) == Mask().validate(given, SCHEMA)
    assert all(isinstance(mask["counts"], str) for mask in found)
    assert [mask.get("score") for mask in found] == [None, 0.5]


def test_distance_is_the_mean_over_classes() -> None:
    """One class agrees by a half, the other is in one answer alone: mean IoU 1/4."""
    a = [_mask("sky", "##..", "##..")]
    b = [_mask("sky", "#...", "#..."), _mask("sea", "...#", "....")]

    assert Mask().distance(a, b) == pytest.approx(0.75)


def test_objects_of_a_class_are_matched() -> None:
    """Of three objects one is in both answers, one half so, one in one alone: 1.5 of 3."""
    a = [_mask("sky", "##....", "......"), _mask("sky", "...##.", "......")]
    b = [_mask("sky", "##....", "......"), _mask("sky", "...#..", "......"), _mask("sky", "......", "...###")]

    assert Mask().distance(a, b) == pytest.approx(0.5)


def test_each_pixel_goes_to_the_heaviest() -> None:
    """Ties between classes go to the first of the schema, those with nothing to nothing."""
    kind = Mask(classes=("sky", "sea"))
    values = [[_mask("sky", "##.", "#..")], [_mask("sea", "###", "...")], [_mask("sky", "#..", "..#")]]

    assert [_mask("sky", "##.", "...")] == kind.merge([values[0], values[1]], [1.0, 1.0])
    merged = kind.merge(values, [1.0, 2.0, 1.5])
    np.testing.assert_array_equal([[True, False, False], [False, False, False]], decode(merged[0]))
    assert ["sky", "sea"] == [mask["label"] for mask in merged]


def test_objects_are_merged_one_by_one() -> None:
    """Where people tell two cats apart, the merged answer does too; one who drew only one does not join them."""
    kind = Mask(classes=("cat",))
    left, right = _mask("cat", "##....", "##...."), _mask("cat", "....##", "....##")
    wide = _mask("cat", "###...", "##....")

    assert [left, right] == kind.merge([[left, right], [left, right], [wide]], [1.0, 1.0, 1.0])


def test_pictures_of_another_size_do_not_count() -> None:
    """An answer about a thumbnail is outweighed, and not stretched."""
    small = [_mask("sky", "#.")]

    assert [_mask("sky", "##.", "#..")] == Mask().merge([small, [_mask("sky", "##.", "#..")], []], [1.0, 2.0, 0.5])
    assert Mask().distance(small, [_mask("sky", "##.", "#..")]) == 1.0


def test_merging_nothing_is_refused() -> None:
    """There must be a value."""
    with pytest.raises(UsageError, match="nothing to merge"):
        Mask().merge([], [])


def test_attributes_are_read_and_voted_on() -> None:
    """What the schema declares is kept and merged by those who have the object; what it does not is refused."""
    dusk = Attribute("dusk", "yes_no")
    schema = LabelSchema("ground", ("sky", "sea"), kind="mask", modality="image", attributes=(dusk,))
    kind = Mask(classes=schema.classes, attributes=schema.attributes)
    dark, light = (SKY | {"attributes": {"dusk": value}} for value in (True, False))
    values = [kind.validate([mask, SEA], schema, IMAGE) for mask in (dark, light, dark)]

    merged = kind.merge(values, [1.0, 1.0, 1.0])

    assert [mask.get("attributes") for mask in merged] == [{"dusk": True}, None]
    with pytest.raises(SchemaError, match="attributes: unknown attribute 'dawn'"):
        kind.validate([SKY | {"attributes": {"dawn": True}}], schema, IMAGE)
