"""A newcomer's way from the sign-in to real work: the real server, a real project, a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.server.office import running_office

from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.people import database_of, fill_queue, open_project
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.database.accounts import accept_link, create_link
from labelmill.stores.database.qualification import Score, standings

PROJECT = """\
[schema]
classes = ["ham", "spam"]
guidelines_file = "guideline.md"

[[schema.examples]]
text = "Win a car"
answer = "spam"
reason = "It sells."

[people]
training = 3
pass_mark = 0.6
gold_share = 1.0
"""

PASSWORD = "long enough now"


def made(folder: Path) -> Workspace:
    """A project with twenty mails, twelve of them known to be spam."""
    (folder / "guideline.md").write_text("# Mails\n\nIs it *spam*?\n")
    (folder / "labelmill.toml").write_text(PROJECT)
    workspace = Workspace.open(folder)
    (folder / "items.csv").write_text("id,text\n" + "".join(f"m{i},mail {i}\n" for i in range(20)))
    ingest(workspace, folder / "items.csv")
    rows = "".join(f"m{i},spam,because of {i}\n" for i in range(12))
    (folder / "gold.csv").write_text(f"item,label,reason\n{rows}")
    ingest(workspace, folder / "gold.csv", votes_by="expert", purpose="gold")
    return workspace


def test_from_the_invitation_to_real_work(static: Path, tmp_path: Path, open_page: Callable[[str], Page]) -> None:
    """Signed in, trained with reasons from the gold file, passed, at work; and the first gold answer is judged."""
    assert static.is_dir()
    workspace = made(tmp_path)
    with running_office(database_of(workspace)) as office:
        project = open_project(workspace, office.database)
        fill_queue(workspace, office.database, project)
        office.admin()
        invitation = create_link(office.database, "invitation", project=project, role="annotator")
        accept_link(office.database, invitation, password=PASSWORD, name="ana")
        page = open_page(f"{office.url}/sign-in?to=/p/{project.public_id}/label")
        page.locator("input[name=name]").fill("ana")
        page.locator("input[type=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Before you begin")).to_be_visible()
        expect(page.locator(".training .prose").first).to_contain_text("Is it spam?")
        expect(page.locator(".example")).to_contain_text("Win a car")

        page.keyboard.press("Enter")
        for key in "212":
            expect(page.locator(".stage .item-text")).to_be_visible()
            page.keyboard.press(key)
            expect(page.locator(".lesson-reason")).to_contain_text("because of")
            page.keyboard.press("Enter")
            expect(page.locator(".lesson")).to_have_count(0)
        expect(page.get_by_role("heading", name="You have passed")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.locator(".chip")).to_have_count(0)
        expect(page.locator(".stage .item-text")).to_be_visible()
        page.keyboard.press("1")
        expect(page.locator(".saved")).to_have_text("all saved")

        (ana,) = standings(office.database, project)
        assert ("qualified", Score(2, 3), Score(0, 1)) == (ana.state, ana.last, ana.gold)
