"""People who mark texts, against a server that speaks the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.web.fake_server import FakeServer, choice_schema, suggestion, task
from tests.web.kinds import canonical_answer

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]

CHINESE = "北京大学附属医院的医生😀在上海交通大学作报告。"
ENGLISH = "Yesterday Jane O'Neill met Zhang Wei in New York City.\n\nThe 👩‍💻 team of Oxford was there."

PLACE_OF = """(host, part) => {
  const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const text = nodes.map((node) => node.data).join("");
  const rectOf = (offset) => {
    let at = 0;
    for (const node of nodes) {
      if (offset < at + node.data.length) {
        const range = document.createRange();
        range.setStart(node, offset - at);
        range.setEnd(node, offset - at + 1);
        return range.getBoundingClientRect();
      }
      at += node.data.length;
    }
  };
  const start = text.indexOf(part);
  const [first, last] = [rectOf(start), rectOf(start + part.length - 1)];
  return [first.left + 1, first.top + first.height / 2, last.right - 1, last.top + last.height / 2];
}"""


class Text:
    """The text on the screen; its parts are found by their words."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.host = page.locator(".span-text")
        self.host.locator(".span-paragraph").first.wait_for()

    def mark(self, part: str) -> None:
        """Drags over a part."""
        x, y, to_x, to_y = self.host.evaluate(PLACE_OF, part)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(to_x, to_y, steps=3)
        self.page.mouse.up()

    def click(self, part: str) -> None:
        """Clicks at the beginning of a part."""
        x, y, *_ = self.host.evaluate(PLACE_OF, part)
        self.page.mouse.click(x, y)


@pytest.fixture
def read(serve: Serve, open_page: Open) -> Callable[..., tuple[FakeServer, Page, Text]]:
    """Opens the labelling page on a text; a second one waits."""

    def start(text: str, **changes: Any) -> tuple[FakeServer, Page, Text]:
        tasks = [task(1, data={"text": text}, **changes), task(2)]
        fake = serve(schema=choice_schema("PER", "ORG", "LOC", kind="span"), tasks=tasks)
        page = open_page(fake.label_page)
        return fake, page, Text(page)

    return start


def answer(fake: FakeServer, page: Page) -> Any:
    """Sends with Enter and gives what the server then holds for the first item."""
    page.keyboard.press("Enter")
    expect(page.locator(".span-text")).to_contain_text("Message number 2")
    expect(page.locator(".saved")).to_have_text("all saved")
    return canonical_answer(fake)


def span(text: str, part: str, label: str) -> dict[str, Any]:
    """Where Python finds the part."""
    start = text.index(part)
    return {"start": start, "end": start + len(part), "label": label}


def test_chinese_overlapping_spans(read: Callable[..., Any]) -> None:
    """Parts of words grow to words; spans nest, overlap and follow an emoji; offsets are code points."""
    fake, page, text = read(CHINESE)

    for part, key in (("京", "3"), ("北京大学", "2"), ("通大", "2")):
        text.mark(part)
        page.keyboard.press(key)
    page.keyboard.press("w")
    text.mark("大学附属医院")
    page.keyboard.press("1")

    parts = [("北京", "LOC"), ("北京大学", "ORG"), ("大学附属医院", "PER"), ("交通大学", "ORG")]
    assert [span(CHINESE, *one) for one in parts] == answer(fake, page)


def test_an_armed_label_marks_on_and_on(read: Callable[..., Any]) -> None:
    """With a label in hand each marking is a span; Escape ends that; a double click is a word; no emoji is cut."""
    fake, page, text = read(ENGLISH)

    page.keyboard.press("1")
    text.mark("ane O")
    text.mark("Zhang Wei")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    text.mark("team of")
    text.click("team")
    expect(page.locator(".span-hint")).to_contain_text("Mark text")
    x, y, *_ = text.host.evaluate(PLACE_OF, "Oxford")
    page.mouse.dblclick(x + 4, y)
    page.keyboard.press("3")
    text.mark("👩‍💻")
    page.keyboard.press("2")

    parts = [("Jane O'Neill", "PER"), ("Zhang Wei", "PER"), ("👩‍💻", "ORG"), ("Oxford", "LOC")]
    assert [span(ENGLISH, *one) for one in parts] == answer(fake, page)


def test_spans_by_keyboard_alone(read: Callable[..., Any]) -> None:
    """The caret walks by words and lines, Shift marks, a digit labels; keys move the borders of a span."""
    fake, page, _ = read(ENGLISH)

    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "1"):
        page.keyboard.press(key)
    for key in ("Shift+ArrowRight", "ArrowLeft", "ArrowRight", "Shift+ArrowLeft", "Escape"):
        page.keyboard.press(key)
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowDown", "ArrowDown", "Shift+ArrowRight", "3"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    # Up and down again with Shift: what is marked runs from one line to the other.
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowUp", "2"):
        page.keyboard.press(key)

    first = span(ENGLISH, ENGLISH.split("\n")[0], "ORG")
    assert [first, span(ENGLISH, "Jane O'Neill", "PER"), span(ENGLISH, "The", "LOC")] == answer(fake, page)


def test_clicks_walk_through_nested_spans(read: Callable[..., Any]) -> None:
    """Each further click takes the next larger span; Delete takes the one that is selected."""
    nested = [span(CHINESE, part, "ORG") for part in ("北京", "北京大学", "北京大学附属医院")]
    fake, page, text = read(CHINESE, draft=nested)
    expect(page.locator(".region-row")).to_have_count(3)

    text.click("北京大学")
    text.click("北京大学")
    expect(page.locator(".region-row[aria-selected=true] .region-words")).to_have_text("北京大学")
    page.keyboard.press("Delete")

    assert [nested[0], nested[2]] == answer(fake, page)


def test_suggested_spans_and_undo(read: Callable[..., Any]) -> None:
    """Suggested spans are dashed; one is accepted, one dropped, brought back by undo and relabelled."""
    suggested = [span(ENGLISH, "Zhang Wei", "PER"), span(ENGLISH, "New York City", "ORG")]
    fake, page, _ = read(ENGLISH, suggestions=[suggestion(suggested, source="gazetteer", kind="rule")])
    expect(page.locator(".span-piece.is-suggested")).to_have_count(2)

    page.keyboard.press("Tab")
    page.keyboard.press("a")
    page.keyboard.press("x")
    expect(page.locator(".span-piece.is-suggested")).to_have_count(0)
    page.keyboard.press("u")
    page.keyboard.press("Tab")
    page.keyboard.press("3")

    assert [suggested[0], suggested[1] | {"label": "LOC"}] == answer(fake, page)
    assert [vote["verdict"] for vote in fake.stored()] == ["edited"]


def test_two_thousand_spans_and_one_more(read: Callable[..., Any]) -> None:
    """Among 2,000 spans in 60,000 characters, one more makes a handful of pieces anew, not thousands."""
    line = "word " * 59 + "end.\n"
    text = line * 200
    spans = [
        {"start": 300 * (k // 10) + 25 * (k % 10) + 30, "end": 300 * (k // 10) + 25 * (k % 10) + 49, "label": "ORG"}
        for k in range(2000)
    ]
    _, page, _ = read(text, draft=spans)
    expect(page.locator(".regions-count")).to_have_text("2000")

    pieces = page.locator(".span-paragraph span")
    before = pieces.count()
    page.evaluate("() => { window.kept = [...document.querySelectorAll('.span-paragraph span')]; }")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "1"):
        page.keyboard.press(key)
    expect(page.locator(".regions-count")).to_have_text("2001")

    assert pieces.count() == before + 2
    assert page.evaluate("window.kept.filter((piece) => !piece.isConnected).length") == 1
