"""The pages of leads for everybody: axe in both schemes, narrow and enlarged, both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.fake_server import choice_schema
from tests.web.lead_server import LeadServer, card, case, starting
from tests.web.media import picture
from tests.web.test_access import violations

Open = Callable[[str], Page]
Serve = Callable[..., LeadServer]

BOX = {"label": "cat", "x": 60, "y": 80, "width": 120, "height": 100}
PICTURE = {"image": "/media/picture.png", "width": 640, "height": 480}
CARDS = [card(n) for n in range(8)]


@pytest.fixture
def serve(static: Path) -> Iterator[Serve]:
    """Starts a fake server for a lead; it ends with the test."""
    with starting(static) as start:
        yield start


@pytest.fixture(params=["light", "dark"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Any:
    """A browser in one of the two colour schemes."""
    with browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", color_scheme=request.param
    ) as context:
        yield context


def test_the_review_page_is_clean(serve: Serve, open_page: Open) -> None:
    """Axe finds nothing on two sides, on merging, sending back, the list of that, the keys, and the end."""
    told = {"item": "i1", "annotator": "id-bob", "name": "bob", "comment": "why?", "state": "open"}
    cases = [case(1, [BOX], [], [BOX, BOX], data=PICTURE), case(2, [BOX], [], data=PICTURE)]
    boxes = choice_schema("cat", "dog", kind="box", modality="image")
    page = open_page(serve(schema=boxes, media=picture(), cases=cases, sent_back=[told]).page_of("review"))
    expect(page.locator(".difference").first).to_be_visible()
    found = violations(page)

    page.keyboard.press("m")
    expect(page.locator(".editing-head")).to_be_visible()
    found += violations(page)
    page.keyboard.press("Escape")
    for opens in ("r", "?"):
        page.keyboard.press(opens)
        expect(page.get_by_role("dialog")).to_be_visible()
        found += violations(page)
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Sent back").click()
    expect(page.locator(".send-backs li")).to_have_count(1)
    found += violations(page)

    assert found == []


@pytest.mark.parametrize(("kind", "a", "b"), [("choice", "bug", "praise"), ("text", "a fox", "a red fox")])
def test_answers_beside_the_item_are_clean(serve: Serve, open_page: Open, kind: str, a: str, b: str) -> None:
    """Axe finds nothing where answers stand on cards."""
    page = open_page(serve(schema=choice_schema(kind=kind), cases=[case(1, a, b)]).page_of("review"))
    expect(page.locator(".side-card").first).to_be_visible()

    assert violations(page) == []


def test_the_grid_is_clean(serve: Serve, open_page: Open) -> None:
    """Axe finds nothing on the cards, chosen and dropped, and where there are none."""
    fake = serve(schema=choice_schema("ham", "spam"), cards=CARDS)
    page = open_page(fake.page_of("grid"))
    expect(page.locator(".card-check").first).to_be_focused()
    page.keyboard.press("Space")
    found = violations(page)

    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()

    assert found + violations(page) == []


@pytest.mark.parametrize("name", ["review", "grid"])
def test_pages_need_no_sideways_scrolling(serve: Serve, browser: Browser, name: str) -> None:
    """At 320 pixels, as on a telephone or at 400 %, everything is in the width, and acts can be reached."""
    fake = serve(schema=choice_schema("ham", "spam"), cards=CARDS, cases=[case(1, "ham", "spam")])
    with browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB") as context:
        page = context.new_page()
        page.goto(fake.page_of(name))
        expect(page.locator(".bottom-bar .button").first).to_be_enabled()
        page.wait_for_timeout(100)

        width = page.evaluate("() => document.documentElement.scrollWidth")
        page.locator(".bottom-bar .button").last.click()

        assert width <= 320
        expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize(("name", "words"), [("review", "采用 A"), ("grid", "标为")])
def test_pages_speak_chinese(serve: Serve, open_page: Open, name: str, words: str) -> None:
    """Every string of both pages has a Chinese form; the language is that of the account."""
    fake = serve(schema=choice_schema("ham", "spam"), cards=CARDS, cases=[case(1, "ham", "spam")], language="zh")
    page = open_page(fake.page_of(name))

    expect(page.locator(".bottom-bar")).to_contain_text(words)
    assert "review." not in page.locator("body").inner_text()
    assert "grid." not in page.locator("body").inner_text()


def test_one_navigation_leads_everywhere_by_keyboard(serve: Serve, open_page: Open) -> None:
    """From each page of the project the others are a Tab and Enter away; annotators see none of it."""
    page = open_page(serve().page_of("review"))
    link = page.get_by_role("navigation").get_by_role("link", name="Grid")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/grid")
    expect(page.get_by_role("navigation").get_by_role("link", name="Grid")).to_have_attribute("aria-current", "page")
    page.get_by_role("navigation").get_by_role("link", name="Label").click()
    page.wait_for_url("**/label")
    expect(page.get_by_role("navigation").get_by_role("link", name="Review")).to_be_visible()

    other = open_page(serve(role="annotator").label_page)

    expect(other.locator(".class-key").first).to_be_visible()
    assert other.get_by_role("navigation").count() == 0
