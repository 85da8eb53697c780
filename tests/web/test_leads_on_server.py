"""A lead at the real server: what review and grid do in the browser is what the database holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.server.office import Office, running_office, set_role, spoken

from labelmill.server.settings import ServerSettings
from labelmill.stores.database.votes import current_votes

Open = Callable[[str], Page]


@pytest.fixture
def office(tmp_path: Path, migrated_file: Path, static: Path) -> Iterator[Office]:
    """A server with the built app."""
    settings = replace(ServerSettings(requests_per_second=10_000, burst=10_000), static=static)
    with running_office(shutil.copy(migrated_file, tmp_path / "people.db"), settings) as made:
        yield made


def test_lead_reviews_sends_back_and_labels_many(office: Office, open_page: Open) -> None:
    """Signed in as a lead: one key decides, one sends back, one labels what is suggested, one takes that back."""
    project = office.project("mails")
    office.put(project, ["r1", "r2"], overlap=2)
    for name, value in (("ana", "spam"), ("bob", "ham")):
        spoken(office.newcomer(project, name=name), project, value, n=2)
    suggestion = {"id": "s", "source": "mv", "kind": "consensus", "score": 0.9, "value": "spam"}
    office.put(project, ["g1", "g2", "g3"], suggestions=[suggestion])
    set_role(office.database, project, office.admin("lea"), "admin")
    page = open_page(f"{office.url}/p/{project.public_id}/review")
    page.get_by_label("Name").fill("lea")
    page.get_by_label("Password").fill("long enough")
    page.keyboard.press("Enter")

    expect(page.locator(".case-place")).to_have_text("1 of 2", timeout=20_000)
    page.keyboard.press("2")
    expect(page.locator(".item-text")).to_contain_text("text of r2")
    page.keyboard.press("r")
    page.keyboard.type("look again")
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()
    expect(page.locator(".saved")).to_have_text("all saved")
    reviewed = {(vote.item, vote.label) for vote in current_votes(office.database, project, purposes=["review"])}
    page.get_by_role("navigation").get_by_role("link", name="Grid").click()
    expect(page.locator(".card-check").first).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()
    expect(page.locator(".saved")).to_have_text("all saved")
    labelled = {vote.item: vote.label for vote in current_votes(office.database, project, purposes=["label"])}
    page.keyboard.press("u")
    expect(page.locator(".card-item")).to_have_count(3)
    expect(page.locator(".saved")).to_have_text("all saved")

    assert [item for item, _ in reviewed] == ["r1"]
    assert {item: label for item, label in labelled.items() if item.startswith("g")} == {"g2": "spam", "g3": "spam"}
    assert not [vote for vote in current_votes(office.database, project) if vote.item.startswith("g")]
