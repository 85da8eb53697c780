"""One journey for each kind of label: project on disk, real server, real database, keys and pointer, consensus."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.browser.house import House
from tests.postgres import running_postgres
from tests.web.media import png, wav
from tests.web.test_shapes import Canvas, near
from tests.web.test_spans import CHINESE, ENGLISH, Text, span

from labelmill.domain.rle import decode

MAILS = {
    "m1": "you have won a prize",
    "m2": "lunch at noon?",
    "m3": "a free prize is waiting",
    "m4": "minutes of the meeting",
}
SIZE = (1600, 1200)
"""Larger than any preview: places must come back in pixels of the original."""


def answer_texts(page: Page, items: dict[str, str], keys: dict[str, list[str]]) -> None:
    """Presses for each text that comes the keys of its item, until there is none."""
    names = {text: name for name, text in items.items()}
    shown = page.locator(".item-text")
    for left in range(len(items), 0, -1):
        text = shown.inner_text()
        for key in keys[names[text]]:
            page.keyboard.press(key)
        if left > 1:
            expect(shown).not_to_have_text(text)
    expect(page.locator(".empty")).to_be_visible()


@pytest.mark.parametrize("database", [pytest.param("sqlite", marks=pytest.mark.slow), "postgresql"])
def test_choice(house: House, database: str) -> None:
    """One key a mail, on both databases."""
    with ExitStack() as stack:
        words: tuple[str, ...] = ()
        if database == "postgresql":
            words = ("--database", stack.enter_context(running_postgres()).new_database())
        page = house.open("choice", ["ham", "spam"], MAILS, words=words)
        answer_texts(page, MAILS, {"m1": ["2"], "m2": ["1"], "m3": ["2"], "m4": ["1"]})

        house.close(page)
        assert house.votes() == {"m1": "spam", "m2": "ham", "m3": "spam", "m4": "ham"} == house.consensus()


def test_multi_choice(house: House) -> None:
    """A key for each class and Enter; Enter twice says that none fits."""
    page = house.open("multi_choice", ["money", "food", "work"], MAILS)

    answer_texts(
        page,
        MAILS,
        {"m1": ["1", "Enter"], "m2": ["2", "3", "2", "Enter"], "m3": ["Enter", "Enter"], "m4": ["3", "1", "Enter"]},
    )

    house.close(page)
    assert house.votes() == {"m1": ["money"], "m2": ["work"], "m3": [], "m4": ["money", "work"]} == house.consensus()


def test_rating(house: House) -> None:
    """A step of the scale is one key."""
    page = house.open("rating", ["poor", "fair", "good"], MAILS)

    answer_texts(page, MAILS, {"m1": ["1"], "m2": ["3"], "m3": ["2"], "m4": ["3"]})

    house.close(page)
    assert house.votes() == {"m1": "poor", "m2": "good", "m3": "fair", "m4": "good"} == house.consensus()


def test_ranking(house: House) -> None:
    """The keys in order of preference, and Enter."""
    items = {name: MAILS[name] for name in ("m1", "m2")}
    page = house.open("ranking", ["red", "green", "blue"], items)

    answer_texts(page, items, {"m1": ["3", "1", "Enter"], "m2": ["1", "2", "3", "Enter"]})

    house.close(page)
    assert house.votes() == {"m1": ["blue", "red", "green"], "m2": ["red", "green", "blue"]} == house.consensus()


def test_number(house: House) -> None:
    """The field has the focus: a number and Enter; a comma is a point."""
    items = {name: MAILS[name] for name in ("m1", "m2")}
    page = house.open("number", [], items)

    answer_texts(page, items, {"m1": [*"3,5", "Enter"], "m2": [*"-12", "Enter"]})

    house.close(page)
    assert house.votes() == {"m1": 3.5, "m2": -12.0} == house.consensus()


def test_text(house: House) -> None:
    """Words of any script, with a new line, come back letter for letter."""
    items = {name: MAILS[name] for name in ("m1", "m2")}
    page = house.open("text", [], items)
    names = {text: name for name, text in items.items()}
    said = {"m1": "Grüße, 世界 👩‍💻", "m2": "first line\nsecond line"}

    for _ in items:
        shown = page.locator(".item-text").inner_text()
        first, *others = said[names[shown]].split("\n")
        page.keyboard.insert_text(first)
        for line in others:
            page.keyboard.press("Shift+Enter")
            page.keyboard.insert_text(line)
        page.keyboard.press("Enter")
        expect(page.locator("main.work")).not_to_contain_text(shown)

    house.close(page)
    assert said == house.votes() == house.consensus()


def test_span(house: House) -> None:
    """Chinese with an emoji, and nested spans by pointer; English by keyboard; offsets are code points."""
    page = house.open("span", ["PER", "ORG", "LOC"], {"zh": CHINESE, "en": ENGLISH})
    text = Text(page)

    for _ in range(2):
        if CHINESE[:4] in text.host.inner_text():
            for part, key in (("京", "3"), ("北京大学", "2"), ("通大", "2")):
                text.mark(part)
                page.keyboard.press(key)
        else:
            for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "1"):
                page.keyboard.press(key)
        before = text.host.inner_text()
        page.keyboard.press("Enter")
        expect(page.locator("main.work")).not_to_contain_text(before[:8])

    house.close(page)
    chinese = [span(CHINESE, *one) for one in (("北京", "LOC"), ("北京大学", "ORG"), ("交通大学", "ORG"))]
    assert house.votes() == {"zh": chinese, "en": [span(ENGLISH, "Jane O'Neill", "PER")]} == house.consensus()


def draw(house: House, kind: str) -> tuple[Page, Canvas]:
    """A project of one picture, on the screen."""
    page = house.open(kind, ["car", "dog"], {"p1": png(*SIZE)}, modality="image")
    return page, Canvas(page, width=SIZE[0], height=SIZE[1])


def drawn(house: House, page: Page) -> Any:
    """Sends; what was stored, which is the consensus too."""
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()
    house.close(page)
    assert house.votes() == house.consensus()
    return house.votes()["p1"]


def test_box(house: House) -> None:
    """A dragged box, one of two clicks and one that keys turn, in pixels of the original; a nudge is one pixel."""
    page, canvas = draw(house, "box")

    canvas.drag((200, 200), (600, 500))
    page.keyboard.press("2")
    before = page.get_by_label("Left").input_value()
    page.keyboard.press("ArrowRight")
    assert float(page.get_by_label("Left").input_value()) == float(before) + 1
    canvas.click((800, 700), (1000, 900))
    canvas.drag((1100, 200), (1400, 400))
    for _ in range(3):
        page.keyboard.press(">")

    expected = [
        {"label": "dog", "x": 201, "y": 200, "width": 400, "height": 300},
        {"label": "dog", "x": 800, "y": 700, "width": 200, "height": 200},
        {"label": "dog", "x": 1100, "y": 200, "width": 300, "height": 200, "rotation": 15},
    ]
    assert close_to(expected, drawn(house, page))


def test_polygon(house: House) -> None:
    """Clicks set the corners, Enter closes."""
    page, canvas = draw(house, "polygon")

    page.keyboard.press("2")
    canvas.click((200, 200), (800, 200), (800, 900))
    page.keyboard.press("Enter")
    expect(page.locator(".region-row")).to_have_count(1)

    assert close_to([{"label": "dog", "points": [[200, 200], [800, 200], [800, 900]]}], drawn(house, page))


def test_point(house: House) -> None:
    """A click is a point."""
    page, canvas = draw(house, "point")

    canvas.click((400, 300))
    page.keyboard.press("2")
    canvas.click((1200, 900))

    expected = [{"label": "dog", "x": 400, "y": 300}, {"label": "dog", "x": 1200, "y": 900}]
    assert close_to(expected, drawn(house, page))


def test_mask(house: House) -> None:
    """An outline of one class, a stroke of another across it, in pixels of the original; no pixel twice."""
    page, canvas = draw(house, "mask")

    page.keyboard.press("p")
    canvas.click((200, 200), (1000, 200), (1000, 800), (200, 800))
    page.keyboard.press("Enter")
    expect(page.locator(".region-row")).to_have_count(1)
    page.keyboard.press("2")
    page.keyboard.press("m")
    canvas.drag((600, 100), (600, 900))
    expect(page.locator(".region-row")).to_have_count(2)

    pixels = {mask["label"]: decode(mask) for mask in drawn(house, page)}
    assert pixels["car"][500, 300]
    assert pixels["dog"][500, 600]
    assert pixels["car"].shape == SIZE[::-1]
    assert not (pixels["car"] & pixels["dog"]).any()
    assert abs(pixels["car"].sum() + pixels["dog"][200:800].sum() - 800 * 600) < 5000


def test_segment(house: House) -> None:
    """Keys set the borders over the waveform that the server has made; the field takes the words."""
    page = house.open("segment", ["speech", "noise"], {"p1": wav(6)}, modality="audio")
    expect(page.locator(".audio-clock")).to_contain_text("0:06.00")

    for key in (">", "[", ">", ">", ".", ".", "]", "2"):
        page.keyboard.press(key)
    page.get_by_label("What is said").fill("你好 world")
    page.get_by_label("What is said").press("Enter")
    page.locator(".stage").focus()

    expected = [{"label": "noise", "start": 1.0, "end": 3.02, "text": "你好 world"}]
    assert expected == drawn(house, page)


def close_to(expected: Any, found: Any) -> bool:
    """Whether values agree within what one pixel of the screen is in the original."""
    return near(scaled(expected), scaled(found))


def scaled(value: Any) -> Any:
    """Numbers in pixels of the screen."""
    if isinstance(value, list):
        return [scaled(part) for part in value]
    if isinstance(value, dict):
        return {key: scaled(part) for key, part in value.items()}
    return value / 2 if isinstance(value, float | int) else value
