from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from labelmill.domain.answers import AnswerTable
from labelmill.domain.attributes import Attribute
from labelmill.errors import UsageError
from labelmill.labels.box import Box
from labelmill.quality.structured_agreement import structured_agreement

ATTRIBUTES = (Attribute("direction", options=("left", "right")), Attribute("speed", "number", least=0.0, most=100.0))


def _box(x: float, label: str = "car", **attributes: Any) -> dict[str, Any]:
    return {"label": label, "x": x, "y": 0.0, "width": 50.0, "height": 50.0, "attributes": attributes}


def _table(rows: Sequence[tuple[list[dict[str, Any]], ...]], kind: Box | None = None) -> AnswerTable:
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in enumerate(row)]
    return AnswerTable(
        kind or Box(attributes=ATTRIBUTES),
        [f"i{i}" for i in range(len(rows))],
        ["a", "b"],
        [i for i, _, _ in cells],
        [j for _, j, _ in cells],
        [value for *_, value in cells],
        classes=("car", "bus"),
    )


def test_agreement_over_matched_shapes_by_hand() -> None:
    """Three of four directions agree, over pairs that lie at the same place; alpha counts chance off."""
    told = [("left", "left"), ("right", "right"), ("left", "right"), ("right", "right")]
    rows = [([_box(0, direction=a), _box(500, direction="left")], [_box(2, direction=b)]) for a, b in told]

    frame = structured_agreement(_table(rows), by="attribute", n_resamples=20).parts

    assert frame is not None
    direction, speed = frame.to_dicts()
    # 3 lefts and 5 rights: 15 of the 28 pairs of values differ.
    assert (direction["attribute"], direction["n_pairs"], direction["percent"]) == ("direction", 4, 0.75)
    assert direction["value"] == pytest.approx(1 - 0.25 / (15 / 28))
    assert direction["low"] <= direction["value"] <= direction["high"]
    assert (speed["n_pairs"], speed["value"]) == (0, None)


def test_numbers_agree_by_their_distance() -> None:
    """Near speeds agree nearly; independent ones not at all; other classes are not compared."""
    draw = np.random.default_rng(0)
    true = draw.uniform(0, 100, 200)
    near = [([_box(0, speed=v)], [_box(0, speed=min(v + 2, 100.0))]) for v in true.tolist()]
    far = [
        ([_box(0, speed=v)], [_box(0, speed=w)])
        for v, w in zip(true.tolist(), draw.permutation(true).tolist(), strict=True)
    ]
    apart = [([_box(0, speed=1.0)], [_box(0, "bus", speed=1.0)])]

    found = [structured_agreement(_table(rows), by="attribute", n_resamples=0).parts for rows in (near, far, apart)]

    values = [frame.row(1, named=True) for frame in found if frame is not None]
    assert values[0]["value"] > 0.9
    assert abs(values[1]["value"]) < 0.15
    assert values[2]["n_pairs"] == 0


def test_undeclared_attributes_are_compared_too() -> None:
    """A file has no schema; without any attribute there is nothing to show."""
    rows = [
        ([_box(0, occluded=True)], [_box(0, occluded=False)]),
        ([_box(0, occluded=False)], [_box(0, occluded=False)]),
    ]

    frame = structured_agreement(_table(rows, Box()), by="attribute", n_resamples=0).parts

    assert frame is not None
    assert frame["attribute"].to_list() == ["occluded"]
    assert frame["percent"].to_list() == [0.5]
    bare = [([{k: v for k, v in _box(0).items() if k != "attributes"}],) * 2]
    with pytest.raises(UsageError, match="by attribute needs shapes or regions with attributes"):
        structured_agreement(_table(bare, Box()), by="attribute")
