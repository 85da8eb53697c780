"""The first thing a newcomer sees of the browser app."""

from __future__ import annotations

import os

from playwright.sync_api import expect
from tests.journeys.browser.house import House, is_saved


def test_the_demo_is_answered_in_the_browser(house: House) -> None:
    """`labelmill demo --serve` asks what its rules doubt, takes answers by one key, and `aggregate` counts them."""
    house.kind = "choice"
    link = house.start(command=("demo", "sentiment", "--serve", "--out", os.fspath(house.folder)))
    page = house.move_in(link)
    shown = page.locator(".item-text")

    for key in ("1", "2", "1"):
        text = shown.inner_text()
        page.keyboard.press(key)
        expect(shown).not_to_have_text(text)
    is_saved(page)
    house.close(page)

    assert sorted(house.votes().values()) == ["negative", "negative", "neutral"]
    assert house.consensus().keys() >= house.votes().keys()


def test_coins_that_rules_found_are_accepted_by_one_key(house: House) -> None:
    """`labelmill demo coins --serve` draws what its rules marked; Enter takes it, and that is the consensus then."""
    house.kind = "box"
    link = house.start(command=("demo", "coins", "--serve", "--out", os.fspath(house.folder), "--workers", "1"))
    page = house.move_in(link)
    expect(page.get_by_role("listbox", name="List of regions").get_by_text("consensus").first).to_be_visible()

    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 12")).to_be_visible()
    is_saved(page)
    house.close(page)

    ((item, boxes),) = house.votes().items()
    assert boxes
    assert all("score" not in box for box in boxes)
    assert house.consensus()[item] == boxes
