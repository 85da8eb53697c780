"""What goes wrong in a day of labelling, on the real server: it dies, the session ends, two tabs are open."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Error, Page, expect
from tests.journeys.browser.house import PASSWORD, House, is_saved

ITEMS = {f"m{i}": f"mail number {i:02}" for i in range(1, 13)}


def label(page: Page, key: str = "1") -> str:
    """Answers what is on the screen; the item's text."""
    shown = page.locator(".item-text")
    text = shown.inner_text()
    page.keyboard.press(key)
    expect(page.locator("main.work")).not_to_contain_text(text)
    return text


@pytest.fixture
def page(house: House) -> Page:
    """The labelling page of twelve mails, with enough of them fetched; the server's port is its own."""
    page = house.open("choice", ["ham", "spam"], ITEMS, port=house.free_port())
    expect(page.locator(".item-text")).to_be_visible()
    expect(page.locator(".bottom-ready")).to_have_text(re.compile(r"^([6-9]|1\d) ready$"))
    return page


def test_answers_given_to_a_dead_server_arrive_once(house: House, page: Page) -> None:
    """The server is killed, five answers are given, the tab is loaded again; all five arrive, each once."""
    address, port = page.url, int(house.url.rpartition(":")[2])
    before = label(page, "2")
    is_saved(page)

    house.kill()
    given = [label(page) for _ in range(5)]
    expect(page.locator(".saved")).to_have_text("offline, 5 kept here")
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        page.reload()
    house.start(port=port)
    page.goto(address)
    is_saved(page)
    expect(page.locator(".item-text")).to_be_visible()

    assert page.locator(".item-text").inner_text() not in {before, *given}
    house.close(page)
    names = {text: name for name, text in ITEMS.items()}
    assert house.votes() == {names[before]: "spam"} | dict.fromkeys((names[text] for text in given), "ham")
    assert house.n_votes() == 6


def test_a_page_that_stays_open_over_a_restart_goes_on(house: House, page: Page) -> None:
    """Answers given while the server is away are sent by the page itself once it is back."""
    port = int(house.url.rpartition(":")[2])

    house.kill()
    given = [label(page) for _ in range(2)]
    expect(page.locator(".saved")).to_have_text("offline, 2 kept here")
    house.start(port=port)
    expect(page.locator(".saved")).to_have_text("all saved", timeout=60_000)
    given.append(label(page))

    house.close(page)
    assert len(house.votes()) == house.n_votes() == len(set(given)) == 3


def test_an_ended_session_asks_over_the_page(house: House, page: Page) -> None:
    """Signed out in another tab, the page keeps the answer, asks for the password, and sends."""
    other = house.open_page(f"{house.url}/")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()

    given = [label(page)]
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(page.locator(".saved")).to_have_text("1 kept here")
    dialog.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    is_saved(page)
    given.append(label(page))

    house.close(page)
    assert len(house.votes()) == house.n_votes() == len(set(given)) == 2


def test_two_tabs_of_one_person(house: House, page: Page) -> None:
    """Two tabs work through one queue: nothing is refused, and each item ends with the answer that was given last."""
    second = house.open_page(page.url)
    expect(second.locator(".item-text")).to_be_visible()
    last: dict[str, str] = {}

    for turn in range(6):
        tab, key = ((page, "1"), (second, "2"))[turn % 2]
        tab.bring_to_front()
        last[label(tab, key)] = "ham" if key == "1" else "spam"
        is_saved(tab)

    is_saved(page)
    second.close()
    house.close(page)
    names = {text: name for name, text in ITEMS.items()}
    assert house.votes() == {names[text]: answer for text, answer in last.items()}
