"""The grid page in a browser: many items answered by one act, taken back by one, and none lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.web.fake_server import choice_schema
from tests.web.lead_server import LeadServer, card, starting
from tests.web.media import picture, recording

Open = Callable[[str], Page]
Serve = Callable[..., LeadServer]

SPAM = choice_schema("ham", "spam")


@pytest.fixture
def serve(static: Path) -> Iterator[Serve]:
    """Starts a fake server for a lead; it ends with the test."""
    with starting(static) as start:
        yield start


def opened(open_page: Open, fake: LeadServer) -> Page:
    """The grid with its first cards, the first of them in focus."""
    page = open_page(fake.page_of("grid"))
    expect(page.locator(".card-check").first).to_be_focused()
    return page


def saved(page: Page) -> None:
    """Waits until every vote has arrived."""
    expect(page.locator(".saved")).to_have_text("all saved")


def active(page: Page) -> int:
    """The place of the card that has the focus."""
    return int(
        page.evaluate("() => [...document.querySelectorAll('.card-check')].indexOf(document.activeElement)"),
    )


def test_one_act_labels_all_but_the_dropped(serve: Serve, open_page: Open) -> None:
    """Space drops the card in focus, Enter labels the others with how many there were; the next ones are there."""
    fake = serve(schema=SPAM, cards=[card(n) for n in range(70)] + [card(99, "ham")])
    page = opened(open_page, fake)
    page.get_by_role("combobox", name="At once").select_option("60")
    expect(page.locator(".card-item")).to_have_count(60)

    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator(".bottom-bar .is-main")).to_contain_text("Label 59 as spam")
    page.keyboard.press("Enter")

    expect(page.locator(".card-item")).to_have_count(10)
    saved(page)
    votes = fake.stored()
    assert [vote["item"] for vote in votes] == [f"c{n}" for n in range(60) if n != 1]
    assert {(vote["value"], vote["bulk"], vote["assignment"], vote["verdict"]) for vote in votes} == {
        ("spam", 59, "", "accepted")
    }
    assert {path for _, path in fake.requests if path.endswith(("/votes", "/reviews"))} == set()
    assert [one.split() for one in page.locator(".grid-class").all_inner_texts()] == [["ham", "1"], ["spam", "11"]]


def test_the_whole_act_is_taken_back(serve: Serve, open_page: Open) -> None:
    """U retracts every vote of the act, and its cards lie there as they were, the dropped ones too."""
    fake = serve(schema=SPAM, cards=[card(n) for n in range(3)])
    page = opened(open_page, fake)
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()

    page.keyboard.press("u")

    expect(page.locator(".card-item.is-chosen")).to_have_count(2)
    expect(page.locator(".card-item.is-dropped")).to_have_count(1)
    saved(page)
    assert fake.answers() == {}
    assert [vote["item"] for vote in fake.stored("retract")] == ["c1", "c2"]
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()
    saved(page)
    assert fake.answers() == {"c1": "spam", "c2": "spam"}


def test_what_is_taken_back_at_once_stays(serve: Serve, open_page: Open) -> None:
    """U while the next cards are still asked for: the act's cards lie there, and no late answer covers them."""
    fake = serve(schema=SPAM, cards=[card(n) for n in range(3)], latency=0.4)
    page = opened(open_page, fake)
    page.keyboard.press("Space")
    page.keyboard.press("Enter")

    page.keyboard.press("u")
    saved(page)
    page.wait_for_timeout(900)

    assert page.locator(".card-item.is-dropped").count() == 1
    assert page.locator(".card-item.is-chosen").count() == 2
    assert fake.answers() == {}


def test_arrows_walk_over_rows_and_columns(serve: Serve, open_page: Open) -> None:
    """Right and left move by one, down and up by a row of what the window holds; only one card is a stop of Tab."""
    page = opened(open_page, serve(schema=SPAM, cards=[card(n) for n in range(30)]))
    columns = page.evaluate(
        "() => getComputedStyle(document.querySelector('.grid-cards')).gridTemplateColumns.split(' ').length"
    )
    places = []

    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        places.append(active(page))

    assert places == [1, 1 + columns, columns, 0, 0, 0]
    assert page.locator(".card-check[tabindex='0']").count() == 1


def test_all_or_none(serve: Serve, open_page: Open) -> None:
    """A drops all that are chosen, and chooses all again; with none chosen Enter sends nothing."""
    fake = serve(schema=SPAM, cards=[card(n) for n in range(4)])
    page = opened(open_page, fake)

    page.keyboard.press("a")
    expect(page.locator(".is-dropped")).to_have_count(4)
    page.keyboard.press("Enter")
    page.keyboard.press("a")

    expect(page.locator(".is-chosen")).to_have_count(4)
    assert fake.votes == {}


def test_another_class_shows_its_items(serve: Serve, open_page: Open) -> None:
    """The class with most items is shown first; classes without any cannot be chosen."""
    cards = [*(card(n) for n in range(3)), *(card(n, "ham") for n in range(10, 12))]
    page = opened(open_page, serve(schema=choice_schema("ham", "spam", "other"), cards=cards))
    expect(page.locator(".card-item")).to_have_count(3)

    page.get_by_role("button", name="ham").click()

    expect(page.locator(".card-item")).to_have_count(2)
    expect(page.get_by_role("button", name="other")).to_be_disabled()


def test_neighbours_of_a_text_come_first(serve: Serve, open_page: Open) -> None:
    """N asks the server for those like the card in focus, and once more for the order of the queue."""
    page = opened(open_page, serve(schema=SPAM, cards=[card(n) for n in range(5)]))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")

    page.keyboard.press("n")

    expect(page.locator(".grid-near")).to_contain_text("c2")
    expect(page.locator(".card-item").first).to_contain_text("Card 2")
    page.keyboard.press("n")
    expect(page.locator(".card-item").first).to_contain_text("Card 0")


def test_items_that_others_took_are_told_and_given_up_at_once(serve: Serve, open_page: Open) -> None:
    """Refused votes are kept and shown with the server's word; one button gives all of them up."""
    fake = serve(schema=SPAM, cards=[card(n) for n in range(4)], refused_items={"c1", "c2"})
    page = opened(open_page, fake)
    page.keyboard.press("Enter")

    page.get_by_role("button", name="2 not accepted").click()
    expect(page.get_by_role("dialog")).to_contain_text("withdrawn")
    page.get_by_role("button", name="Give up all 2").click()

    saved(page)
    assert fake.answers() == {"c0": "spam", "c3": "spam"}


def test_acts_survive_a_lost_network(serve: Serve, open_page: Open, context: BrowserContext) -> None:
    """What was labelled offline arrives once, from the next page that this person opens."""
    fake = serve(schema=SPAM, cards=[card(n) for n in range(3)])
    page = opened(open_page, fake)
    context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.locator(".saved")).to_contain_text("3 kept here")
    page.close()

    context.set_offline(False)
    again = open_page(fake.page_of("review"))

    saved(again)
    assert fake.answers() == {"c0": "spam", "c1": "spam", "c2": "spam"}
    assert len(fake.votes) == 3


def test_two_hundred_thumbnails_are_fetched_as_they_come_into_sight(serve: Serve, open_page: Open) -> None:
    """Pictures far below are not asked for before somebody scrolls there."""
    content = picture(160, 120)["/media/picture.png"]
    cards = [
        card(n, data={"image": f"/media/{n}.png", "width": 160, "height": 120}, thumbnail=f"/media/{n}.png")
        for n in range(200)
    ]
    media = {f"/media/{n}.png": content for n in range(200)}
    fake = serve(schema=choice_schema("ham", "spam", modality="image"), cards=cards, media=media)
    page = opened(open_page, fake)
    page.get_by_role("combobox", name="At once").select_option("200")
    expect(page.locator(".card-item")).to_have_count(200)

    loaded = page.evaluate("() => [...document.images].filter((one) => one.complete && one.naturalWidth).length")

    assert 0 < loaded < 200
    page.locator(".card-item").last.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.images].at(-1).naturalWidth > 0")


def test_recordings_have_a_waveform_and_are_heard(serve: Serve, open_page: Open) -> None:
    """P plays the card in focus; another one stops the first."""
    data: dict[str, Any] = {"audio": "/media/sound.wav", "peaks": "/media/peaks.json", "duration": 8.0}
    cards = [card(n, data=data) for n in range(2)]
    fake = serve(schema=choice_schema("ham", "spam", modality="audio"), cards=cards, media=recording())
    page = opened(open_page, fake)
    page.wait_for_function(
        """() => { const canvas = document.querySelector(".card-canvas");
        return canvas.getContext("2d").getImageData(0, 4, canvas.width, 1).data.some((one) => one > 0); }"""
    )

    page.keyboard.press("p")
    expect(page.locator(".card-play").first).to_have_accessible_name("Pause: c0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("p")

    expect(page.locator(".card-play").nth(1)).to_have_accessible_name("Pause: c1")
    expect(page.locator(".card-play").first).to_have_accessible_name("Play: c0")


def test_nothing_suggested(serve: Serve, open_page: Open) -> None:
    """Without open suggestions the page says so."""
    page = open_page(serve(schema=SPAM).page_of("grid"))

    expect(page.locator(".empty")).to_contain_text("Nothing lies here")
