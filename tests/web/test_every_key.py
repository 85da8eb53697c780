"""Each row of the table of keys, pressed on the page, and what is stored then (or seen, where an act stores nothing).

The rows come from the reference page, which another test keeps equal to the table. A row without a check fails.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.web import checks_of_labelling as page
from tests.web import checks_of_regions as mark
from tests.web.desks import Check, Desks
from tests.web.test_shapes import CAR, DOG

ROOT = Path(__file__).resolve().parents[2]
SIGNS = {"␣": "Space", "←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown"}
SIGNS |= {"Del": "Delete", "Esc": "Escape"}


class Row(NamedTuple):
    """One key of one act."""

    act: str
    key: str
    scope: str


def rows() -> list[Row]:
    """Every row of the reference page, a key at a time."""
    found, scope = [], ""
    for line in (ROOT / "docs" / "reference" / "keys.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            scope = line.removeprefix("## ")
        elif cells := re.fullmatch(r"\| (`.+`) \| .+ \| `(\w+)` \|", line):
            found += [Row(cells[2], chord(words), scope) for words in re.findall(r"`([^`]+)`", cells[1])]
    return found


def chord(words: str) -> str:
    """`Shift S`, as the page shows it, as the browser takes it."""
    *held, last = words.split(" ")
    return "+".join([*held, SIGNS.get(last, last.lower() if len(last) == 1 else last)])


BOTH = {"draft": [CAR, DOG]}
CORNERS = [(100.0, 100.0), (300.0, 100.0), (300.0, 300.0)]
TRIANGLE = {"label": "car", "points": [list(one) for one in CORNERS]}
RIGHT, MARK_RIGHT = "ArrowRight", "Shift+ArrowRight"

CHECKS: dict[str, Check] = {
    **{f"label_{number}": page.labels for number in range(1, 11)},
    "play_item": page.plays_item,
    "find_label": page.finds_label,
    "accept": page.accepts,
    "reject": page.rejects,
    "skip": page.remarks("skip"),
    "skip_reason": page.remarks("skip", "cut off"),
    "flag": page.remarks("flag", "odd"),
    "comment": page.remarks("comment", "why?"),
    "undo": page.undoes,
    "redo": page.redoes,
    "look_back": page.looks_back,
    "look_ahead": page.looks_ahead,
    "guideline": page.opens(".guideline"),
    "keys": page.opens("dialog .key-table"),
    "next_region": mark.regions("KEY", "x", expected=[DOG]),
    "previous_region": mark.regions("KEY", "x", expected=[CAR]),
    "accept_region": mark.regions("Tab", "KEY", "x", expected=[CAR]),
    "accept_all": mark.accepts_all,
    "delete_region": mark.regions("Tab", "KEY", expected=[DOG], **BOTH),
    "deselect": mark.regions("Tab", "KEY", "Delete", expected=[CAR, DOG], **BOTH),
    "new_region": mark.makes_region,
    "tool_select": mark.draws("box", CORNERS[::2], [], before="b", after="Enter"),
    "tool_box": mark.draws("box", CORNERS[::2], [CAR | {"height": 200.0}], before="v"),
    "tool_polygon": mark.draws("polygon", CORNERS, [TRIANGLE], before="v", after="Enter"),
    "tool_point": mark.draws("point", CORNERS[:1], [{"label": "car", "x": 100.0, "y": 100.0}], before="v"),
    "nudge_left": mark.changes_box(x=99),
    "nudge_right": mark.changes_box(x=101),
    "nudge_up": mark.changes_box(y=99),
    "nudge_down": mark.changes_box(y=101),
    "nudge_left_far": mark.changes_box(x=90),
    "nudge_right_far": mark.changes_box(x=110),
    "nudge_up_far": mark.changes_box(y=90),
    "nudge_down_far": mark.changes_box(y=110),
    "narrower": mark.changes_box(width=199),
    "wider": mark.changes_box(width=201),
    "shorter": mark.changes_box(height=119),
    "taller": mark.changes_box(height=121),
    "turn_left": mark.changes_box(rotation=175),
    "turn_right": mark.changes_box(rotation=5),
    "zoom_in": mark.zooms("KEY", factor=1.5),
    "zoom_out": mark.zooms("+", "+", "KEY", factor=1.5),
    "zoom_fit": mark.zooms("+", "KEY", factor=1),
    "word_snap": mark.snaps,
    "caret_left": mark.spans(RIGHT, RIGHT, RIGHT, "KEY", MARK_RIGHT, expected="beta"),
    "caret_right": mark.spans(RIGHT, "KEY", MARK_RIGHT, expected="beta"),
    "caret_up": mark.spans(RIGHT, "ArrowDown", "KEY", MARK_RIGHT, expected="alpha"),
    "caret_down": mark.spans(RIGHT, "KEY", MARK_RIGHT, expected="gamma"),
    "extend_left": mark.spans(RIGHT, RIGHT, RIGHT, "KEY", expected="beta"),
    "extend_right": mark.spans(RIGHT, "KEY", expected="alpha"),
    "extend_up": mark.spans(RIGHT, "ArrowDown", "KEY", expected="alpha beta"),
    "extend_down": mark.spans(RIGHT, "KEY", expected="alpha beta"),
    "play": mark.plays_region,
    "region_start": mark.sounds(">", "KEY", ">", "]", start=1, end=2),
    "region_end": mark.sounds(">", "[", ">", "KEY", start=1, end=2),
    "step_back": mark.sounds(">", "[", ">", "KEY", "]", start=1, end=1.99),
    "step_on": mark.sounds(">", "[", "KEY", "KEY", "]", start=1, end=1.02),
    "far_back": mark.sounds(">", ">", ">", "[", "KEY", "]", start=2, end=3),
    "far_on": mark.sounds("KEY", "[", "KEY", "]", start=1, end=2),
    "audio_closer": mark.shows_seconds("KEY", seconds=2),
    "audio_wider": mark.shows_seconds("+", "+", "KEY", seconds=2),
    "audio_whole": mark.shows_seconds("+", "KEY", seconds=4),
}

ELSEWHERE: dict[str, str] = {
    "attributes": "test_attributes.py::test_keys_alone_give_attributes",
    **dict.fromkeys(("take_a", "take_b"), "test_review_page.py::test_one_key_takes_a_side_and_goes_on"),
    "merge": "test_review_page.py::test_merging_keeps_what_is_agreed_and_walks_through_the_rest",
    "edit": "test_review_page.py::test_editing_uses_the_kinds_own_keys",
    "send_back": "test_review_page.py::test_sending_back_asks_somebody_and_shows_where_it_stands",
    "take": "test_grid_page.py::test_one_act_labels_all_but_the_dropped",
    "all_or_none": "test_grid_page.py::test_all_or_none",
    **dict.fromkeys(
        ("card_left", "card_right", "card_up", "card_down"),
        "test_grid_page.py::test_arrows_walk_over_rows_and_columns",
    ),
    "neighbours": "test_grid_page.py::test_neighbours_of_a_text_come_first",
    "play_card": "test_grid_page.py::test_recordings_have_a_waveform_and_are_heard",
    "tool_brush": "test_masks.py::test_every_key_of_painting",
    "tool_eraser": "test_masks.py::test_masks_are_painted_erased_and_sent",
    "tool_fill": "test_masks.py::test_an_outline_is_filled_and_a_hole_in_it",
    "smaller_brush": "test_masks.py::test_every_key_of_painting",
    "larger_brush": "test_masks.py::test_every_key_of_painting",
    "paint_here": "test_masks.py::test_every_key_of_painting",
}
"""Acts of pages with tests of their own: the test that presses the key, as `file.py::test`."""


def body_of(place: str) -> str:
    """The source of a test, `file.py::test`."""
    file, _, test = place.partition("::")
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
    return text.partition(f"def {test}(")[2].partition("\ndef ")[0]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.act}-{row.key}")
def test_a_key_does_what_its_row_says(row: Row, desks: Desks) -> None:
    """The key of a row, and each that always does the same, has its effect."""
    if row.act in ELSEWHERE:
        assert f'"{row.key}"' in body_of(ELSEWHERE[row.act])
        return
    check = CHECKS.get(row.act)
    assert check is not None, f"say in CHECKS what the act {row.act!r} stores"

    check(desks, row.act, row.key)


def test_every_check_has_a_row() -> None:
    """The table of keys holds every act that is checked: one that was renamed is told."""
    assert {*CHECKS, *ELSEWHERE} == {row.act for row in rows()}
