from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from labelmill.pipeline._answer_rows import element_columns, element_rows, read_raw_answers


def _read(
    tmp_path: Path, text: str, kind: str, name: str = "votes.csv"
) -> tuple[dict[tuple[str, str], Any], list[str]]:
    path = tmp_path / name
    path.write_text(text)
    raw, bad = read_raw_answers(path, kind, None)
    return {(a.item, a.annotator): a.value for a in raw.answers}, [
        f"{row.line} {row.field} {row.reason}" for row in bad
    ]


def test_elements_of_an_answer_are_gathered(tmp_path: Path) -> None:
    """Rows of one annotator on one item make one answer, wherever they stand; a blank row is an empty answer."""
    text = "item,annotator,start,end,label\nt,ann,0,2,x\nt,bob,,,\nu,ann,1,2,y\nt,ann,5,6,y\n"

    found, bad = _read(tmp_path, text, "span")

    assert not bad
    assert found == {
        ("t", "ann"): [{"label": "x", "start": 0, "end": 2}, {"label": "y", "start": 5, "end": 6}],
        ("t", "bob"): [],
        ("u", "ann"): [{"label": "y", "start": 1, "end": 2}],
    }


def test_corners_become_place_and_size(tmp_path: Path) -> None:
    """Boxes may be given by two corners."""
    found, _ = _read(tmp_path, "task,worker,label,x1,y1,x2,y2\ni,a,cat,1,2,4,6.5\n", "box")

    assert found == {("i", "a"): [{"label": "cat", "x": 1, "y": 2, "width": 3, "height": 4.5}]}


def test_polygons_hold_their_points_as_json(tmp_path: Path) -> None:
    """The column `points` is a list of pairs."""
    found, bad = _read(
        tmp_path, 'item,annotator,label,points\ni,a,cat,"[[0,0],[1,0],[1,1]]"\ni,b,cat,round\n', "polygon"
    )

    assert found["i", "a"] == [{"label": "cat", "points": [[0, 0], [1, 0], [1, 1]]}]
    assert bad == ["3 points expected a JSON list of [x, y], found 'round'"]


def test_whole_answers_are_json_or_lists(tmp_path: Path) -> None:
    """A CSV file spells them, a JSON file has them; optional keys that a column fills with null are left out."""
    csv, _ = _read(
        tmp_path, 'item,annotator,label\ni,a,"[{""start"":0,""end"":1,""label"":""x""}]"\ni,b,[]\ni,c,\n', "span"
    )
    lines = (
        '{"item":"i","annotator":"a","label":[{"start":0,"end":1,"label":"x"}]}\n'
        '{"item":"i","annotator":"b","label":[{"start":0,"end":1,"label":"x","note":"n"}]}\n'
    )
    jsonl, _ = _read(tmp_path, lines, "span", "votes.jsonl")

    assert csv == {("i", "a"): [{"start": 0, "end": 1, "label": "x"}], ("i", "b"): [], ("i", "c"): None}
    assert jsonl["i", "a"] == [{"start": 0, "end": 1, "label": "x"}]


def test_the_later_whole_answer_counts(tmp_path: Path) -> None:
    """An annotator who answers an item again replaces the answer, and that is counted."""
    path = tmp_path / "votes.csv"
    path.write_text("item,annotator,label\ni,a,1\ni,b,2\ni,a,3\n")

    raw, _ = read_raw_answers(path, "number", None)

    assert {(a.annotator, a.value) for a in raw.answers} == {("b", "2"), ("a", "3")}
    assert raw.n_superseded == 1


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [
        ("item,annotator,start,end,label\n,a,0,1,x\n", "span", "2 item is missing"),
        ("item,annotator,start,end,label\nt,a,0,one,x\n", "span", "2 end expected a number, found 'one'"),
        ("item,annotator,start,end,label\nt,a,0,inf,x\n", "span", "2 end expected a number, found 'inf'"),
        ("item,annotator,label,x1,y1,x2,y2\nt,a,x,0,0,1,\n", "box", "2 y2 is missing"),
        ("item,annotator,label\nt,a,[{\n", "span", "2 label no JSON"),
        ("item,annotator,label,confidence\nt,a,[],2\n", "span", "2 confidence expected a number between 0 and 1"),
        ("item,annotator,label,kind\nt,a,[],robot\n", "span", "2 kind unknown kind 'robot'"),
        (
            "item,annotator,label,kind\nt,a,[],rule\nu,a,[],model\n",
            "span",
            "3 kind annotator 'a' is called a rule further up",
        ),
    ],
)
def test_bad_rows_name_line_and_field(tmp_path: Path, rows: str, kind: str, said: str) -> None:
    """What cannot be taken is told, and the rest goes on."""
    _, bad = _read(tmp_path, rows, kind)

    assert len(bad) == 1
    assert bad[0].startswith(said)


def test_confidence_is_kept(tmp_path: Path) -> None:
    """A number where it is given, NaN where it is not."""
    path = tmp_path / "votes.csv"
    path.write_text("item,annotator,label,confidence\ni,a,x,0.25\ni,b,y,\n")

    raw, _ = read_raw_answers(path, "text", None)

    assert raw.answers[0].confidence == 0.25
    assert math.isnan(raw.answers[1].confidence)


def test_elements_go_out_as_they_came_in() -> None:
    """Corners come back as corners, an empty value as a blank row."""
    columns = element_columns("box", ["item", "label", "x1", "y1", "x2", "y2"])
    box = {"label": "cat", "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}

    assert columns == ("x1", "y1", "x2", "y2")
    assert list(element_rows("i", [box], columns)) == [
        {"item": "i", "label": "cat", "x1": 1.0, "y1": 2.0, "x2": 4.0, "y2": 6.0}
    ]
    assert list(element_rows("i", [], columns)) == [{"item": "i", "label": None, **dict.fromkeys(columns)}]
