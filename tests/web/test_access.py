"""Every page for everybody: axe, the keyboard alone, narrow screens, both languages, both schemes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.web.fake_server import PASSWORD, FakeServer, choice_schema, suggestion, task

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]

SUGGESTED = [suggestion("bug"), suggestion("praise", score=0.6, source="rule thanks", kind="rule")]


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    # Fading in, a message has less contrast for a moment.
    page.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finish()))")
    found: dict[str, Any] = page.evaluate("(tags) => axe.run(document, {runOnly: tags})", RULES)
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


@pytest.fixture(params=["light", "dark"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Any:
    """A browser in one of the two colour schemes."""
    with browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", color_scheme=request.param
    ) as context:
        yield context


def test_the_labelling_page_and_its_dialogs_are_clean(serve: Serve, open_page: Open) -> None:
    """Axe finds nothing on the label page with suggestions, the guideline, the keys, a comment, and looking back."""
    fake = serve(tasks=[task(1, suggestions=SUGGESTED, meta={"channel": "mail"}), task(2)])
    page = open_page(fake.label_page)
    expect(page.locator(".suggestion").first).to_be_visible()
    found = violations(page)

    page.keyboard.press("g")
    expect(page.locator(".guideline")).to_be_visible()
    found += violations(page)
    for key in ("?", "c"):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        found += violations(page)
        page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".looking-back")).to_be_visible()
    found += violations(page)

    assert found == []


@pytest.mark.parametrize("kind", ["multi_choice", "ranking", "rating", "number", "text"])
def test_each_kind_of_field_is_clean(serve: Serve, open_page: Open, kind: str) -> None:
    """Axe finds nothing on the widgets of whole answers."""
    fake = serve(schema=choice_schema(*[f"step {number}" for number in range(1, 12)], kind=kind))
    page = open_page(fake.label_page)
    expect(page.locator(".panel")).to_be_visible()

    assert violations(page) == []


def test_the_other_pages_are_clean(fake: FakeServer, open_page: Open) -> None:
    """Axe finds nothing on sign-in, set-up, the list of projects, and an empty queue."""
    fake.tasks = []
    found = []
    for path, sign in (
        ("/sign-in", "form"),
        ("/set-up/abc", "form"),
        ("/", ".project"),
        ("/p/tickets/label", ".empty"),
    ):
        page = open_page(fake.url + path)
        expect(page.locator(sign)).to_be_visible()
        found += violations(page)

    assert found == []


@pytest.mark.parametrize("context", ["light"], indirect=True)
@pytest.mark.parametrize("size", [(320, 640), (640, 400)])
def test_nothing_is_cut_off_when_narrow(
    serve: Serve, open_page: Open, context: BrowserContext, size: tuple[int, int]
) -> None:
    """At 320 pixels, and at 200 % zoom, nothing needs scrolling to the side and every label can be pressed."""
    fake = serve(tasks=[task(1, suggestions=SUGGESTED), task(2)])
    for path in ("/sign-in", "/", "/p/tickets/label"):
        page = open_page(fake.url + path)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        expect(page.locator("main")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]

    expect(page.locator(".suggestion").first).to_be_visible()
    page.get_by_role("button", name="praise").last.click()
    expect(page.locator(".item-text")).to_contain_text("Message number 2:")


@pytest.mark.parametrize("context", ["light"], indirect=True)
def test_every_target_is_large_enough(serve: Serve, open_page: Open) -> None:
    """Everything that can be pressed is at least 24 pixels wide and high (WCAG 2.5.8)."""
    fake = serve(tasks=[task(1, suggestions=SUGGESTED, meta={"channel": "mail"})])
    page = open_page(fake.label_page)
    expect(page.locator(".suggestion").first).to_be_visible()

    measure = """() => [...document.querySelectorAll("button, a[href], summary")]
        .map((one) => [one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => Math.min(box.width, box.height) < 24).map(([text]) => text)"""

    assert page.evaluate(measure) == []


@pytest.mark.parametrize("context", ["light"], indirect=True)
def test_signing_in_and_labelling_by_keyboard_alone(fake: FakeServer, open_page: Open) -> None:
    """From the address to the first answer nothing needs a pointer; one comes back to where one wanted to go."""
    fake.is_signed_in = False
    page = open_page(fake.label_page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    page.keyboard.type("ana")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".item-text")).to_contain_text("Message number 1:")
    page.get_by_role("button", name="bug").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".item-text")).to_contain_text("Message number 2:")
    expect(page.locator(".saved")).to_have_text("all saved")

    assert fake.answers() == {"i1": "bug"}
    assert page.evaluate("() => document.activeElement.textContent") == "2bug", "focus stays where it was"


@pytest.mark.parametrize("context", ["light"], indirect=True)
def test_a_first_account_is_made(fake: FakeServer, open_page: Open) -> None:
    """The set-up link makes an account, refuses a short or mistyped password, and leads to the projects."""
    fake.is_signed_in = False
    page = open_page(f"{fake.url}/set-up/one-time-token")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password again").fill("short")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_have_text("The password needs at least 12 characters.")

    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create").click()

    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    assert ("POST", "/api/set-up") in fake.requests


@pytest.mark.parametrize("context", ["light"], indirect=True)
def test_the_app_speaks_chinese(serve: Serve, open_page: Open) -> None:
    """An account's language is the page's, unless another was chosen on this computer."""
    fake = serve(language="zh")
    page = open_page(f"{fake.url}/")
    expect(page.get_by_role("heading", name="项目")).to_be_visible()
    assert page.evaluate("() => document.documentElement.lang") == "zh-Hans"

    page.locator(".language").select_option("en")
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()


@pytest.mark.parametrize("context", ["light"], indirect=True)
def test_a_link_to_sign_in_leads_nowhere_else(fake: FakeServer, open_page: Open) -> None:
    """After signing in, an address of another server in the link is not followed."""
    for target in ("//evil.example/", "https://evil.example/", "javascript:alert(1)"):
        page = open_page(f"{fake.url}/sign-in?to={target}")
        page.get_by_label("Name").fill("ana")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        assert page.url == f"{fake.url}/"


@pytest.mark.parametrize("context", ["light"], indirect=True)
def test_guidelines_run_nothing(serve: Serve, open_page: Open) -> None:
    """Markup and addresses of scripts in guidelines, texts, names and sources stay text."""
    nasty = "<img src=x onerror=alert(1)> [link](javascript:alert(1))"
    fake = serve(
        schema=choice_schema(f"{nasty} a", "b", guidelines=nasty),
        tasks=[task(1, data={"text": nasty}, why=nasty, suggestions=[suggestion("b", source=nasty)])],
    )
    page = open_page(fake.label_page)
    page.on("dialog", lambda _: pytest.fail("a script ran"))
    expect(page.locator(".item-text")).to_have_text(nasty)
    page.keyboard.press("g")

    expect(page.locator(".guideline")).to_contain_text(nasty)
    assert page.locator(".desk img, .desk a[href^=javascript]").count() == 0
