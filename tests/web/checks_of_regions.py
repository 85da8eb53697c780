"""What the keys do with shapes, spans and sounds. A sequence of keys has the one looked at in the place of KEY."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect
from tests.web.desks import LINES, Check, Desks
from tests.web.fake_server import suggestion
from tests.web.test_shapes import CAR, DOG, Canvas, near
from tests.web.test_spans import Text


def regions(*keys: str, expected: list[Any], **changes: Any) -> Check:
    """These keys leave these boxes of two suggested ones, or of two of one's own."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.shapes(**(changes or {"suggestions": [suggestion([CAR, DOG])]}))
        expect(desk.page.locator(".region-row")).to_have_count(2)
        desk.press_with(key, keys)
        assert desk.answer() == expected

    return check


def accepts_all(desks: Desks, _: str, key: str) -> None:
    """Suggested boxes become one's own, and the vote says that they were accepted."""
    desk = desks.shapes(suggestions=[suggestion([CAR, DOG])])
    expect(desk.page.locator(".region-row.is-suggested")).to_have_count(2)
    desk.press(key)
    expect(desk.page.locator(".region-row:not(.is-suggested)")).to_have_count(2)
    assert desk.answer() == [CAR, DOG]


def makes_region(desks: Desks, _: str, key: str) -> None:
    """A box in the middle of what is seen."""
    desk = desks.shapes()
    desk.press(key)
    [box] = desk.answer()
    assert near({"x": 320, "y": 240}, {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2})


# Shapes.


def draws(kind: str, clicks: list[tuple[float, float]], expected: list[Any], *, before: str, after: str = "") -> Check:
    """With this tool in hand instead of the one before, clicks draw this, finished by another key."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.shapes(kind)
        desk.press(before, key)
        Canvas(desk.page).click(*clicks)
        desk.press(*filter(None, [after]))
        expect(desk.page.locator(".region-row")).to_have_count(len(expected))
        assert near(expected, desk.answer())

    return check


def changes_box(**changes: float) -> Check:
    """The selected box, of which nothing else changes, then has these numbers."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.shapes(draft=[CAR])
        expect(desk.page.locator(".region-row")).to_have_count(1)
        desk.press("Tab", key)
        assert desk.answer() == [CAR | changes]

    return check


def zooms(*keys: str, factor: float) -> Check:
    """The same drag on the screen covers so many times less of the picture."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.shapes()
        desk.press_with(key, keys)
        Canvas(desk.page).drag((260, 180), (380, 300))
        [box] = desk.answer()
        assert near([120 / factor] * 2, [box["width"], box["height"]])

    return check


def spans(*keys: str, expected: str) -> Check:
    """These keys mark this part of the text."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.text()
        desk.press_with(key, [*keys, "1"])
        [span] = desk.answer()
        assert LINES[span["start"] : span["end"]] == expected

    return check


def snaps(desks: Desks, _: str, key: str) -> None:
    """Switched off, marking does not grow to words."""
    desk = desks.text()
    desk.press(key)
    Text(desk.page).mark("lph")
    desk.press("1")
    assert desk.answer() == [{"start": 1, "end": 4, "label": "one"}]


# Sounds.


def sounds(*keys: str, start: float, end: float) -> Check:
    """These keys make a region from here to there."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.sound()
        desk.press_with(key, keys)
        assert desk.answer() == [{"label": "speech", "start": start, "end": end}]

    return check


def plays_region(desks: Desks, _: str, key: str) -> None:
    """The selected region is played to its end."""
    desk = desks.sound(draft=[{"label": "speech", "start": 1.0, "end": 1.2}])
    expect(desk.page.locator(".region-row")).to_have_count(1)
    desk.press("Tab", key)
    expect(desk.page.locator(".audio-clock")).to_contain_text("0:01.20")


def shows_seconds(*keys: str, seconds: float) -> Check:
    """A drag over half of the waveform is so many seconds long."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.sound()
        desk.press_with(key, keys)
        box = desk.page.locator(".audio-track").bounding_box()
        assert box is not None
        mouse = desk.page.mouse
        mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 80)
        mouse.down()
        mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 80, steps=2)
        mouse.up()
        [region] = desk.answer()
        assert abs(region["end"] - region["start"] - seconds) < 0.03

    return check
