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
