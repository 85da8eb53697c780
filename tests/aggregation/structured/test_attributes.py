"""Attributes of merged objects, spans and events: whoever drew them says."""

from __future__ import annotations

from typing import Any

import pytest

from labelmill import registry
from labelmill.domain.answers import AnswerTable
from labelmill.domain.attributes import Attribute
from labelmill.domain.schema import LabelSchema

SCHEMA_ATTRIBUTES = (
    Attribute("direction", options=("left", "right")),
    Attribute("speed", "number"),
    Attribute("note", "text"),
)
SHAPES: dict[str, Any] = {
    "box": lambda n, shift: {"label": "car", "x": 10.0 + shift, "y": 20.0 * n, "width": 30.0, "height": 40.0},
    "polygon": lambda n, shift: {
        "label": "car",
        "points": [[200.0 * n + shift, 0.0], [200.0 * n + 90, 0.0], [200.0 * n, 60.0]],
    },
    "point": lambda n, shift: {"label": "car", "x": 100.0 * n + shift, "y": 20.0},
    "span": lambda n, shift: {"start": 20 * n, "end": 20 * n + 10 + int(shift), "label": "car"},
    "segment": lambda n, shift: {"label": "car", "start": 10.0 * n, "end": 10.0 * n + 4 + shift / 10},
}


def _table(kind: str, answers: list[list[list[dict[str, Any]]]]) -> AnswerTable:
    schema = LabelSchema("traffic", ("car", "bus"), kind=kind, attributes=SCHEMA_ATTRIBUTES)
    cells = [(i, j, value) for i, item in enumerate(answers) for j, value in enumerate(item)]
    return AnswerTable(
        registry.find("label_kind", kind)(**schema.kind_options),
        [f"i{i}" for i in range(len(answers))],
        [f"a{j}" for j in range(max(len(item) for item in answers))],
        [i for i, _, _ in cells],
        [j for _, j, _ in cells],
        [value for *_, value in cells],
        classes=schema.classes,
        facts=[{"width": 1000, "height": 1000, "text": "x" * 200, "duration": 100.0}] * len(answers),
    )


def _drawn(kind: str, n: int, shift: float, **attributes: Any) -> dict[str, Any]:
    shape: dict[str, Any] = SHAPES[kind](n, shift)
    return shape | ({"attributes": attributes} if attributes else {})


@pytest.mark.parametrize("kind", SHAPES)
def test_those_who_drew_an_object_vote_on_its_attributes(kind: str) -> None:
    """On every item two of three say right; the speed is the median; nobody's place is moved by it."""
    answers = [
        [
            [_drawn(kind, n, 0.0, direction="right", speed=30.0)],
            [_drawn(kind, n, 2.0, direction="left", speed=90.0)],
            [_drawn(kind, n, 1.0, direction="right", speed=40.0, note="one alone")],
        ]
        for n in range(6)
    ]
    plain = [[[_drawn(kind, n, shift)] for shift in (0.0, 2.0, 1.0)] for n in range(6)]
    model = registry.find("structured_model", kind)

    table = _table(kind, answers)
    merged = model().fit(table).predict(table)
    bare = _table(kind, plain)
    where = model().fit(bare).predict(bare)

    for one, other in zip(merged, where, strict=True):
        assert [{"direction": "right", "speed": 40.0}] == [shape.pop("attributes") for shape in one.value]
        assert other == one


@pytest.mark.parametrize("kind", SHAPES)
def test_sole_and_shared_answers_keep_theirs(kind: str) -> None:
    """Text, number and choice, to the letter."""
    full = {"direction": "left", "speed": 12.5, "note": "a b c"}
    answers = [[[_drawn(kind, 0, 0.0, **full), _drawn(kind, 2, 0.0)]], [[_drawn(kind, 1, 0.0, **full)]] * 3]

    table = _table(kind, answers)
    merged = registry.find("structured_model", kind)().fit(table).predict(table)

    assert [item[0] for item in answers] == [one.value for one in merged]
