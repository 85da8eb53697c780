"""One pointer, without dragging, reaches everything (WCAG 2.5.7), and all of it is large enough to hit (2.5.8)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from tests.web.desks import LINES, SECONDS, Desk, Desks
from tests.web.fake_server import choice_schema, suggestion, task
from tests.web.test_shapes import CAR, Canvas, near
from tests.web.test_spans import PLACE_OF, Text

SOUND = {"label": "speech", "start": 2.0, "end": 4.0}

TOO_SMALL = """() => [...document.querySelectorAll("button, a[href], summary, input, select, textarea, [role=option]")]
    .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.closest(".sr-only"))
    .map((one) => [one.closest("label") ?? one, one])
    .map(([whole, one]) => [one.outerHTML.slice(0, 120), whole.getBoundingClientRect()])
    .filter(([, box]) => Math.min(box.width, box.height) < 24)
    .map(([html, box]) => `${Math.round(box.width)} x ${Math.round(box.height)}: ${html}`)"""


def chosen_box(desks: Desks, **changes: Any) -> tuple[Desk, Canvas]:
    """A picture with one box, which a click has selected."""
    desk = desks.shapes(draft=[CAR | changes])
    canvas = Canvas(desk.page)
    desk.page.get_by_role("button", name="Select").click()
    canvas.click((150, 130))
    expect(desk.page.locator(".region-row[aria-selected=true]")).to_have_count(1)
    return desk, canvas


@pytest.mark.parametrize(
    ("clicks", "expected"),
    [
        ([(300, 220), (350, 260)], {"width": 250.0, "height": 160.0}),
        ([(100, 160), (80, 160)], {"x": 80.0, "width": 220.0}),
        ([(200, 160), (260, 200)], {"x": 160.0, "y": 140.0}),
    ],
    ids=["corner", "side", "whole"],
)
def test_a_box_is_changed_by_two_clicks(desks: Desks, clicks: list[tuple[float, float]], expected: Any) -> None:
    """A click takes a corner, a side or the middle of a box; the next puts it down."""
    desk, canvas = chosen_box(desks)

    canvas.click(*clicks)

    assert near([CAR | expected], desk.answer())


def test_a_box_is_turned_by_two_clicks(desks: Desks) -> None:
    """A click takes the knob above a box; one beside the box turns it there."""
    desk, canvas = chosen_box(desks)

    canvas.click((200, 100 - 26 / canvas.scale), (320, 160))

    [box] = desk.answer()
    assert abs(box["rotation"] - 90) < 1


def test_a_polygon_is_bent_by_two_clicks(desks: Desks) -> None:
    """A click takes a corner of a polygon, or the middle of an edge, which becomes a corner."""
    points = [[100.0, 100.0], [300.0, 100.0], [300.0, 300.0], [100.0, 300.0]]
    desk = desks.shapes("polygon", draft=[{"label": "car", "points": points}])
    canvas = Canvas(desk.page)
    desk.page.get_by_role("button", name="Select").click()
    canvas.click((150, 250))

    canvas.click((300, 300), (400, 350))
    canvas.click((200, 100), (200, 60))

    bent = [[100, 100], [200, 60], [300, 100], [400, 350], [100, 300]]
    assert near([{"label": "car", "points": bent}], desk.answer())


def test_any_part_of_a_picture_is_reached_by_clicks(desks: Desks) -> None:
    """A click names a place, and the buttons zoom around it: no dragging of the picture is needed."""
    desk = desks.shapes("point")
    canvas = Canvas(desk.page)

    canvas.click((600, 450))
    for _ in range(4):
        desk.page.get_by_role("button", name="closer").click()
    factor = 1.5**4
    x, y = canvas.place(600, 450)
    desk.page.mouse.click(x - 50 * canvas.scale, y - 50 * canvas.scale)

    found = desk.answer()
    assert near([600 - 50 / factor, 450 - 50 / factor], [found[0]["x"], found[0]["y"]])


def test_text_is_marked_by_clicks(desks: Desks) -> None:
    """Two clicks on a word mark it, one with Shift marks up to there; buttons move the borders of a span."""
    desk = desks.text()
    text, page = Text(desk.page), desk.page

    x, y, *_ = text.host.evaluate(PLACE_OF, "alpha")
    page.mouse.dblclick(x + 4, y)
    page.get_by_role("button", name="one").click()
    page.get_by_role("button", name="End further right").click()
    page.get_by_role("button", name="Start further right").click()

    [span] = desk.answer()
    assert LINES[span["start"] : span["end"]] == "beta"


def test_a_click_with_shift_marks_up_to_there(desks: Desks) -> None:
    """From where the caret was put, a click with Shift marks the words up to the one that it hits."""
    desk = desks.text()
    text = Text(desk.page)

    text.click("beta")
    desk.page.keyboard.down("Shift")
    text.click("delta")
    desk.page.keyboard.up("Shift")
    desk.press("2")

    [span] = desk.answer()
    assert LINES[span["start"] : span["end"]] == "beta\ngamma delta"


def test_a_sound_is_marked_by_clicks(desks: Desks) -> None:
    """A click sets the playhead, buttons set the borders there; a click takes a border, the next puts it down."""
    desk = desks.sound()
    box = desk.page.locator(".audio-track").bounding_box()
    assert box is not None

    def click(seconds: float) -> None:
        desk.page.mouse.click(box["x"] + box["width"] * seconds / SECONDS, box["y"] + 80)

    click(2)
    desk.page.get_by_role("button", name="Starts here").click()
    click(4)
    desk.page.get_by_role("button", name="Ends here").click()
    click(4)
    click(6)

    [region] = desk.answer()
    assert abs(region["start"] - 2) < 0.02
    assert abs(region["end"] - 6) < 0.02


@pytest.mark.parametrize("kind", ["box", "polygon", "point", "span", "segment"])
def test_everything_is_large_enough(desks: Desks, kind: str) -> None:
    """With a region chosen and a suggestion beside it, all that can be pressed is at least 24 pixels wide and high."""
    mine: Any = {
        "box": CAR,
        "polygon": {"label": "car", "points": [[10.0, 10.0], [200.0, 10.0], [10.0, 200.0]]},
        "point": {"label": "car", "x": 10.0, "y": 20.0},
        "span": {"start": 0, "end": 5, "label": "one"},
        "segment": SOUND,
    }[kind]
    changes = {"draft": [mine], "suggestions": [suggestion([mine])]}
    if kind == "span":
        schema = choice_schema("one", "two", kind="span")
        desk = desks.open(".span-paragraph", schema=schema, tasks=[task(1, data={"text": LINES}, **changes)])
    else:
        desk = desks.sound(**changes) if kind == "segment" else desks.shapes(kind, **changes)
    desk.page.locator(".region-row").first.click()
    expect(desk.page.locator(".region-fields").first).to_be_visible()

    assert desk.page.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("kind", ["choice", "multi_choice", "rating", "ranking", "number", "text"])
def test_fields_and_keys_are_large_enough(desks: Desks, kind: str) -> None:
    """Classes, fields and buttons of whole answers are large enough too, with suggestions and with the dialogs open."""
    schema = choice_schema(*[f"step {number}" for number in range(1, 12)], kind=kind)
    desk = desks.open(".panel", schema=schema, tasks=[task(1, meta={"channel": "mail"})])
    found = desk.page.evaluate(TOO_SMALL)
    for button in ("Guideline", "Keys"):
        desk.page.get_by_role("button", name=button).first.click()
        found += desk.page.evaluate(TOO_SMALL)

    assert found == []


def test_a_class_keeps_its_colour(desks: Desks) -> None:
    """With many classes each has the colour of its place, in the picker as on its shapes, also when few are listed."""
    names = [f"class {number}" for number in range(1, 13)]
    schema = choice_schema(*names, kind="span")
    draft = [{"start": 0, "end": 5, "label": "class 11"}]
    desk = desks.open(".span-paragraph", schema=schema, tasks=[task(1, data={"text": LINES}, draft=draft)])
    colour = "one => getComputedStyle(one).borderLeftColor"
    key = desk.page.get_by_role("button", name="class 11")
    before = key.evaluate(colour)

    desk.page.get_by_role("searchbox").fill("11")
    expect(desk.page.locator(".class-key")).to_have_count(1)

    assert (
        key.evaluate(colour)
        == before
        == desk.page.locator(".region-swatch").evaluate("one => getComputedStyle(one).borderTopColor")
    )
    assert before != desk.page.evaluate("getComputedStyle(document.body).color")


def test_a_new_item_is_said_and_the_focus_stays(desks: Desks) -> None:
    """The next text stands in a live region that was there before, and whoever pressed a button still is on it."""
    desk = desks.choice()
    desk.page.evaluate("() => { window.region = document.querySelector('.stage [aria-live=polite]'); }")
    button = desk.page.get_by_role("button", name="topic 2")
    button.focus()

    desk.press("Enter")
    desk.shows("number 2:")

    assert desk.page.evaluate("window.region.isConnected && window.region.textContent").startswith("Message number 2:")
    expect(button).to_be_focused()


def test_marking_a_text_says_nothing_of_the_text(desks: Desks) -> None:
    """Marks change the text's pieces: a live region around them would read the text aloud at every key."""
    desk = desks.text()

    assert desk.page.locator("[aria-live] .span-text").count() == 0
    expect(desk.page.get_by_role("status").filter(has_text="alpha beta")).to_have_count(1)
