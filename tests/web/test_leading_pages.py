"""The pages for leads on a server that tells them what we choose: dashboard, people, settings, items."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.web.leading import LeadersServer, figures, nothing_yet, of_boxes, set_up
from tests.web.test_access import violations

Open = Callable[[str], Page]

PAGES = {
    "dashboard": ".charts",
    "people": ".people-table",
    "settings": ".preview-screen",
    "settings#question": ".class-marks",
    "settings#annotators": ".voters",
    "settings#quality": ".stop-rule",
    "items?annotator=p-ana": ".item-line",
}


@pytest.fixture
def server(static: Path) -> Iterator[LeadersServer]:
    """A project that has been worked on, for its admin."""
    started = LeadersServer(static)
    yield started
    started.stop()


def _opened(open_page: Open, server: LeadersServer, page: str) -> Page:
    found = open_page(f"{server.url}/p/tickets/{page}")
    expect(found.locator(PAGES.get(page, "main")).first).to_be_visible()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_for_leads_are_clean(browser: Browser, server: LeadersServer, scheme: Any) -> None:
    """Axe finds nothing on any page or step, with charts and with their tables, in both schemes."""
    with browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 800}, locale="en-GB") as context:
        found = []
        for path, sign in PAGES.items():
            page = context.new_page()
            page.goto(f"{server.url}/p/tickets/{path}")
            expect(page.locator(sign).first).to_be_visible()
            found += violations(page)
            for toggle in page.locator(".chart-toggle, .item-line summary, .new-token summary").all():
                toggle.click()
            found += violations(page)

    assert found == []


@pytest.mark.parametrize("size", [(320, 640), (640, 400)])
def test_pages_for_leads_are_not_cut_off(context: BrowserContext, server: LeadersServer, size: tuple[int, int]) -> None:
    """At 320 pixels, and at 200 % zoom, nothing but tables needs scrolling to the side."""
    for path, sign in PAGES.items():
        page = context.new_page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"{server.url}/p/tickets/{path}")
        expect(page.locator(sign).first).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0], path


def test_pages_for_leads_speak_chinese(server: LeadersServer, open_page: Open) -> None:
    """Every page comes in the language of the account, and leaves no string in English behind."""
    server.language = "zh"
    for path, word in (("dashboard", "各自有多可靠"), ("people", "您的程序令牌"), ("settings#quality", "何时足够")):
        page = open_page(f"{server.url}/p/tickets/{path}")
        expect(page.get_by_text(word, exact=True).first).to_be_visible()


def test_every_mark_leads_to_its_items(server: LeadersServer, open_page: Open) -> None:
    """People, confused classes, suggestions and classes of the dashboard are links to the items behind them."""
    page = _opened(open_page, server, "dashboard")

    def target(name: str) -> str:
        return page.get_by_role("link", name=name).first.get_attribute("href") or ""

    assert target("ana 93% person 90% to 96%") == "/p/tickets/items?annotator=p-ana"
    assert target("billing, and somebody else bug: 11%") == "/p/tickets/items?said=billing&confused=bug"
    assert target("edited: 41 of 378") == "/p/tickets/items?source=dawid_skene&outcome=edited"
    assert target("praise: 121 times") == "/p/tickets/items?said=praise"
    assert target("540 of 1,216 answers") == "/p/tickets/items?state=done"


def test_each_chart_has_its_values(server: LeadersServer, open_page: Open) -> None:
    """One key press on the button turns a chart into the table of its figures, another back."""
    page = _opened(open_page, server, "dashboard")
    chart = page.get_by_role("region", name="How far each can be trusted")
    expect(chart.locator(".interval-row")).to_have_count(6)

    page.get_by_role("button", name="Values : How far each").focus()
    page.keyboard.press("Enter")

    rows = chart.get_by_role("row")
    expect(rows).to_have_count(8)  # a head, four people, two rules, a model
    expect(rows.nth(1)).to_have_text("anaperson21493%90%96%")
    page.keyboard.press("Enter")
    expect(chart.locator(".interval-row")).to_have_count(6)


def test_forecast_is_drawn_and_said(server: LeadersServer, open_page: Open) -> None:
    """The band ends on the line of what is asked for, and a sentence says the same."""
    page = _opened(open_page, server, "dashboard")

    expect(page.get_by_text("done between Mar 30 and Apr 8 in eight of ten cases")).to_be_visible()
    expect(page.locator(".forecast-band")).to_be_visible()
    line, target = (
        page.locator(name).bounding_box() for name in (".forecast-line", "svg:has(.forecast-line) .target-line")
    )
    assert line is not None
    assert target is not None
    assert abs(line["y"] - target["y"]) < 3


def test_rules_are_sorted_by_any_column(server: LeadersServer, open_page: Open) -> None:
    """A press on a head sorts by it, another turns the order round, and the head says which."""
    page = _opened(open_page, server, "dashboard")
    names = page.locator(".rules tbody th")

    page.get_by_role("button", name="Accuracy").click()
    expect(names).to_have_text(["contains_refund", "tfidf_linear", "many_exclamation_marks"])
    page.get_by_role("button", name="Accuracy").click()
    expect(names).to_have_text(["many_exclamation_marks", "tfidf_linear", "contains_refund"])
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Accuracy ↑")


def test_acceptance_is_told_by_version(server: LeadersServer, open_page: Open) -> None:
    """Each version has a line and a row, the second an upright mark, and the sentence says whether people follow."""
    page = _opened(open_page, server, "dashboard")
    figure = page.locator(".chart", has=page.get_by_role("heading", name="Suggestions accepted over time"))

    expect(figure.locator("path:not(.share-mark)")).to_have_count(2)
    expect(figure.locator("svg .target-line")).to_have_count(1)
    expect(figure.locator(".chart-says")).to_contain_text("where it is withheld")
    figure.get_by_role("button").click()
    expect(figure.locator("tbody tr")).to_have_count(2)
    expect(figure.locator("tbody tr").first).to_contain_text("3f2a91c0")


def test_an_empty_dashboard_says_what_to_do(server: LeadersServer, open_page: Open) -> None:
    """Without answers every part says how it comes to show something."""
    server.told["GET", "/dashboard"] = nothing_yet()
    page = _opened(open_page, server, "dashboard")

    expect(page.get_by_role("heading", name="Nobody has answered yet")).to_be_visible()
    expect(page.locator(".chart-empty")).to_have_count(9)
    expect(page.locator(".chart-empty code").first).to_have_text("labelmill annotate")


def test_shapes_show_who_differs_from_whom(server: LeadersServer, open_page: Open) -> None:
    """Where an answer is more than a class, distances between people stand in for confusions."""
    server.told["GET", "/dashboard"] = of_boxes()
    page = _opened(open_page, server, "dashboard")

    expect(page.get_by_role("heading", name="Who differs from whom")).to_be_visible()
    expect(page.get_by_title("ana and 李雷: 24% apart")).to_have_text("24%")
    expect(page.locator(".tile", has_text="Nearness")).to_contain_text("82%")


def test_values_beyond_all_bounds_are_drawn(server: LeadersServer, open_page: Open) -> None:
    """One answer, one person and no interval break no chart."""
    one = {**figures()["annotators"][3], "votes": 1, "ms_median": 10.0}
    progress = [{"at": "2026-03-20T00:00:00.000+00:00", "done": 1}]
    server.told["GET", "/dashboard"] = nothing_yet() | {
        "annotators": [one],
        "progress": progress,
        "answers": {"held": 1, "wanted": 0, "missing": 0},
    }
    page = _opened(open_page, server, "dashboard")

    expect(page.locator(".progress-now")).to_be_visible()
    assert "NaN" not in page.content()


def test_an_invitation_is_shown_once(server: LeadersServer, open_page: Open) -> None:
    """The link stands in a dialog to be copied; who closes it does not see it again."""
    server.told["POST", "/invitations"] = {"link": "http://here/invitation/secret"}
    page = _opened(open_page, server, "people")

    page.get_by_label("Invite as").select_option("lead")
    page.get_by_role("button", name="Make a link").click()
    field = page.get_by_role("dialog").get_by_label("Invitation")
    expect(field).to_have_value("http://here/invitation/secret")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("dialog").get_by_role("status")).not_to_be_empty()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "secret" not in page.content()
    assert server.did("POST", "/invitations") == [{"role": "lead"}]


def test_people_are_led_by_keyboard(server: LeadersServer, open_page: Open) -> None:
    """A role changes, what somebody holds goes back, and somebody is taken out after a question."""
    server.told["PUT", "/people/p-dora"] = lambda _: (204, None)
    server.told["POST", "/people/p-李雷/give-back"] = {"n": 4}
    server.told["DELETE", "/people/p-dora"] = lambda _: (204, None)
    page = _opened(open_page, server, "people")

    page.get_by_label("Role of dora").select_option("lead")
    expect(page.locator(".status")).to_contain_text("dora is lead now")
    page.get_by_role("button", name="Give back 4").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".status")).to_contain_text("back in the queue")
    page.get_by_role("button", name="Take out : dora").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert server.did("DELETE", "/people/p-dora") == []
    page.get_by_role("button", name="Take out : dora").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Take out").press("Enter")
    expect(page.locator(".status")).to_contain_text("dora is out")

    assert server.did("PUT", "/people/p-dora") == [{"role": "lead"}]
    assert len(server.did("POST", "/people/p-李雷/give-back")) == 1
    assert len(server.did("DELETE", "/people/p-dora")) == 1


def test_training_is_decided_by_the_lead(server: LeadersServer, open_page: Open) -> None:
    """Where people are trained, a column says how each stands, and a lead lets in or sends again."""
    stands = {"ana": "exempt", "dora": "failed", "李雷": "qualified"}
    for one in server.told["GET", "/people"]["people"]:
        state = stands.get(one["name"])
        one["qualification"] = None if state is None else {"state": state, "score": 0.6, "n": 10}
    server.told["POST", "/people/p-dora/qualification"] = lambda _: (204, None)
    page = _opened(open_page, server, "people")

    row = page.get_by_role("row", name="dora")
    expect(row.get_by_role("cell", name="not passed 60% of 10")).to_be_visible()
    expect(page.get_by_role("button", name="Let in")).to_have_count(1)
    row.get_by_role("button", name="Let in").press("Enter")

    expect(page.locator(".status")).to_have_text("dora does real work now.")
    assert server.did("POST", "/people/p-dora/qualification") == [{"state": "qualified"}]


def test_leads_change_no_roles(server: LeadersServer, open_page: Open) -> None:
    """Who is no admin sees roles, and no way to change them or to invite admins."""
    server.role = "lead"
    page = _opened(open_page, server, "people")

    expect(page.locator(".role-choice")).to_have_count(0)
    expect(page.get_by_role("button", name="Take out")).to_have_count(0)
    expect(page.get_by_label("Invite as").locator("option")).to_have_text(["annotator", "lead"])


def test_a_token_is_made_and_ended(server: LeadersServer, open_page: Open) -> None:
    """What a program may do is chosen, its secret is shown once, and the list can end it."""
    kept = {"id": "t1", "name": "export", "scopes": ["read"], "expires": "2099-01-01T00:00:00Z", "is_revoked": False}
    server.told["POST", "/api/tokens"] = {"token": "lm_secret"}
    server.told["DELETE", "/api/tokens/t1"] = lambda _: (204, None)
    page = _opened(open_page, server, "people")
    server.told["GET", "/api/tokens"] = {"tokens": [kept]}

    page.get_by_text("New token").click()
    page.get_by_label("What it is for").fill("export")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("dialog").get_by_label("New token")).to_have_value("lm_secret")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".token-list li")).to_contain_text("export")
    page.get_by_role("button", name="End : export").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    form = {"name": "export", "scopes": ["read"], "project": "tickets", "days": 90}
    assert server.did("POST", "/api/tokens") == [form]
    assert len(server.did("DELETE", "/api/tokens/t1")) == 1


def test_the_preview_is_the_labelling_screen(server: LeadersServer, open_page: Open) -> None:
    """The real widget answers by its keys on the first item; what is answered is said, and sent nowhere."""
    page = _opened(open_page, server, "settings#question")
    preview = page.locator(".preview-screen")
    expect(preview.locator(".class-key")).to_have_count(3)

    page.get_by_label("Classes", exact=True).fill("billing, bug, praise, outage")
    expect(preview.locator(".class-key")).to_have_text(["1billing", "2bug", "3praise", "4outage"])
    preview.locator(".stage").focus()
    page.keyboard.press("4")

    expect(preview.locator(".preview-said")).to_have_text("Would be sent: outage. Thrown away.")
    assert not any(path.endswith(("/votes", "/next")) for _, path in server.requests)


def test_another_kind_loads_its_widget(server: LeadersServer, open_page: Open) -> None:
    """Choosing another kind of label shows its own screen, without suggestions of the old kind."""
    page = _opened(open_page, server, "settings#question")
    page.get_by_label("Kind of label").select_option("text")

    expect(page.locator(".preview-screen textarea")).to_be_visible()
    expect(page.locator(".preview-screen .suggestion")).to_have_count(0)
    expect(page.get_by_label("Classes", exact=True)).to_have_count(0)


def test_settings_are_saved_by_their_version(server: LeadersServer, open_page: Open) -> None:
    """Only what was changed is sent, with the version that was read; the page goes on from the answer."""
    changed = set_up(version="4.def")
    changed["settings"] = changed["settings"] | {"overlap": 3}
    server.told["PUT", "/settings"] = changed | {"to_be_run": ["labelmill annotate"]}
    page = _opened(open_page, server, "settings#quality")

    page.get_by_label("Answers for each item").fill("3")
    expect(page.locator(".save-bar")).to_contain_text("1 not saved")
    page.get_by_role("button", name="Save").click()

    expect(page.locator(".save-bar")).to_have_text("Saved.")
    expect(page.locator(".settings-note code")).to_have_text("labelmill annotate")
    assert server.did("PUT", "/settings") == [{"version": "3.abc", "settings": {"overlap": 3}}]


def test_changes_of_two_people_are_brought_together(server: LeadersServer, open_page: Open) -> None:
    """A conflict is told; reading again keeps one's own change over what the other has saved."""
    detail = "the settings have changed since they were read"
    problem = {"type": "about:blank", "title": "Conflict", "status": 409, "detail": detail}
    server.told["PUT", "/settings"] = lambda _: (409, problem)
    page = _opened(open_page, server, "settings#quality")
    page.get_by_label("Answers for each item").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".save-bar .fault")).to_have_text(detail)

    other = set_up(version="4.def")
    other["settings"] = other["settings"] | {"threshold": 0.9}
    server.told["GET", "/settings"] = other
    page.get_by_role("button", name="Read them again").click()

    expect(page.get_by_label("Suggest from")).to_have_value("90")
    expect(page.get_by_label("Answers for each item")).to_have_value("3")
    expect(page.locator(".save-bar")).to_contain_text("1 not saved")


def test_settings_that_are_not_ours_cannot_be_changed(server: LeadersServer, open_page: Open) -> None:
    """Who may not change them sees them all, and why not."""
    server.told["GET", "/settings"] = set_up(can_change=False, kept_in="elsewhere", differs=["people.overlap"])
    page = _opened(open_page, server, "settings#quality")

    expect(page.get_by_label("Answers for each item")).to_be_disabled()
    expect(page.locator(".settings-place")).to_contain_text("which this server does not have")
    expect(page.locator(".settings-note")).to_contain_text("people.overlap")


def test_answers_fix_the_kind(server: LeadersServer, open_page: Open) -> None:
    """With answers the kind stands fast, and the classes say what may be done with them."""
    server.told["GET", "/settings"] = set_up(n_answers=540)
    page = _opened(open_page, server, "settings#question")

    expect(page.get_by_label("Kind of label")).to_be_disabled()
    expect(page.get_by_text("540 answers are of this kind")).to_be_visible()
    expect(page.get_by_text("makes this version 2 of the question")).to_be_visible()


def test_items_behind_a_mark(server: LeadersServer, open_page: Open) -> None:
    """The list asks the server for what the address names, takes conditions off, and opens items."""
    page = _opened(open_page, server, "items?annotator=p-ana")
    assert server.did("GET", "/items") == [{"annotator": "p-ana", "limit": "50"}]

    page.locator(".item-line summary").first.press("Enter")
    expect(page.locator(".remarks li").first).to_contain_text("billing")
    page.get_by_role("link", name="Answered by: ana: take off").click()
    expect(page.locator(".item-line")).to_have_count(2)
    assert page.url.endswith("/p/tickets/items")
