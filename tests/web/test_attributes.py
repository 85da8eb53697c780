"""What people say of shapes and regions besides their class, against a server that speaks the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.fake_server import FakeServer, choice_schema, suggestion, task
from tests.web.kinds import canonical_answer
from tests.web.media import audio_task, image_task, picture, recording
from tests.web.test_access import violations

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]

CAR = {"label": "car", "x": 100.0, "y": 100.0, "width": 200.0, "height": 120.0}
VALUES: dict[str, Any] = {
    "box": CAR,
    "span": {"start": 0, "end": 7, "label": "car"},
    "segment": {"label": "car", "start": 1.0, "end": 2.0},
}


def attribute(name: str, kind: str = "choice", **changes: Any) -> dict[str, Any]:
    """An attribute as the server tells it."""
    told = {"options": [], "classes": [], "required": False, "least": None, "most": None, "unit": "", "sticky": False}
    return {"name": name, "kind": kind, "counts": False, **told, **changes}


DIRECTION = attribute("direction", options=["left", "right", "ahead"], classes=["car"], required=True)
OCCLUDED = attribute("occluded", "yes_no")
SPEED = attribute("speed", "number", least=0, most=130, unit="km/h", sticky=True)
NOTE = attribute("note", "text")
ATTRIBUTES = [DIRECTION, OCCLUDED, SPEED, NOTE]


@pytest.fixture
def ask(serve: Serve, open_page: Open) -> Callable[..., tuple[FakeServer, Page]]:
    """Opens the labelling page of a kind with these attributes and a suggestion of one region."""

    def start(kind: str, *values: Any, attributes: Any = None, **contents: Any) -> tuple[FakeServer, Page]:
        modality = {"span": "text", "segment": "audio"}.get(kind, "image")
        schema = choice_schema("car", "bus", kind=kind, modality=modality, attributes=attributes or ATTRIBUTES)
        make = {"text": task, "audio": audio_task, "image": image_task}[modality]
        media = {"text": {}, "audio": recording(), "image": picture()}[modality]
        tasks = [make(1, suggestions=[suggestion(list(values))] if values else []), make(2)]
        fake = serve(schema=schema, media=media, tasks=tasks, **contents)
        page = open_page(fake.label_page)
        page.locator("canvas, .span-paragraph").first.wait_for()
        return fake, page

    return start


def key_of(page: Page, words: str) -> str:
    """The key that stands on a chip, or beside the name of a yes or no."""
    chip = page.locator(".attribute-chip, .attribute-name").filter(has_text=words).first
    return chip.locator(".key-cap").inner_text().lower()


def sent(fake: FakeServer, page: Page) -> Any:
    """Sends with Enter and gives what the server then holds for the first item."""
    page.keyboard.press("Enter")
    expect(page.locator(".saved")).to_have_text("all saved")
    expect(page.locator(".region-row")).to_have_count(0)
    return canonical_answer(fake)


@pytest.mark.parametrize("kind", ["box", "span", "segment"])
def test_keys_alone_give_attributes(ask: Callable[..., Any], kind: str) -> None:
    """On images, texts and sounds: a letter for an option, one for yes, T to the fields, Enter out, Enter to send."""
    fake, page = ask(kind, VALUES[kind])
    page.keyboard.press("Tab")

    page.keyboard.press(key_of(page, "right"))
    page.keyboard.press(key_of(page, "occluded"))
    page.keyboard.press("t")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type("30")
    page.keyboard.press("Tab")
    page.keyboard.type("in the shade")
    page.keyboard.press("Enter")

    told = {"direction": "right", "occluded": True, "speed": 30, "note": "in the shade"}
    assert [VALUES[kind] | {"attributes": told}] == sent(fake, page)
    assert [vote["verdict"] for vote in fake.stored()] == ["edited"]


def test_what_is_needed_blocks_enter_by_name(ask: Callable[..., Any]) -> None:
    """Enter sends nothing while a direction is missing, says so, and selects the region; then one key is enough."""
    fake, page = ask("box", CAR | {"label": "bus"}, CAR)

    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_have_text("car: still needs direction.")
    expect(page.locator(".region-row[aria-selected=true]")).to_contain_text("car")
    expect(page.locator(".attribute-needed")).to_have_text("needed")
    assert fake.stored() == []
    page.keyboard.press(key_of(page, "left"))
    expect(page.locator(".attribute-needed")).to_have_count(0)

    assert [CAR | {"label": "bus"}, CAR | {"attributes": {"direction": "left"}}] == sent(fake, page)


def test_suggested_attributes_are_accepted_as_they_are(ask: Callable[..., Any]) -> None:
    """They stand in the list, and Enter alone takes them."""
    told = CAR | {"attributes": {"direction": "ahead", "occluded": False, "speed": 12.5}}
    fake, page = ask("box", told)

    expect(page.locator(".region-attributes")).to_have_text("ahead · occluded: no · 12.5 km/h")

    assert [told] == sent(fake, page)
    assert [vote["verdict"] for vote in fake.stored()] == ["accepted"]


def test_chips_are_clicked_and_taken_back(ask: Callable[..., Any]) -> None:
    """A click on the chosen chip lets go where nothing is required; undo walks back over every step."""
    fake, page = ask("span", VALUES["span"], attributes=[DIRECTION, OCCLUDED])
    page.keyboard.press("Tab")
    yes = page.get_by_role("radio", name="yes")

    page.get_by_role("radio", name="right").click()
    yes.click()
    expect(yes).to_be_checked()
    yes.click()
    expect(yes).not_to_be_checked()
    page.get_by_role("radio", name="right").click()
    expect(page.get_by_role("radio", name="right")).to_be_checked()
    page.keyboard.press("u")
    expect(yes).to_be_checked()
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(page.locator(".region-row.is-suggested")).to_have_count(1)
    page.keyboard.press("Shift+u")

    page.keyboard.press("Escape")
    assert [VALUES["span"] | {"attributes": {"direction": "right"}}] == sent(fake, page)


def test_arrows_walk_over_options(ask: Callable[..., Any]) -> None:
    """As in any group of radio buttons; the shape stays where it is."""
    fake, page = ask("box", CAR, attributes=[DIRECTION])
    page.keyboard.press("Tab")
    page.keyboard.press("t")

    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")

    assert [CAR | {"attributes": {"direction": "ahead"}}] == sent(fake, page)


def test_a_number_past_its_limits_is_refused(ask: Callable[..., Any]) -> None:
    """The field goes back to what it was, and the limits are told."""
    _, page = ask("box", CAR | {"attributes": {"direction": "left", "speed": 30.0}})
    page.keyboard.press("Tab")
    field = page.get_by_label("speed")

    field.fill("131")
    field.press("Enter")

    expect(page.locator(".said")).to_have_text("speed must be a number 0 – 130.")
    expect(field).to_have_value("30")


def test_sticky_values_are_proposed_to_the_next_of_the_class(ask: Callable[..., Any]) -> None:
    """The next car has the speed of the last one, not its direction; a bus has none of it."""
    fake, page = ask("point")
    page.keyboard.press("n")
    page.keyboard.press(key_of(page, "left"))
    page.get_by_label("speed").fill("50")
    page.get_by_label("speed").press("Enter")

    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("n")
    page.keyboard.press(key_of(page, "right"))
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("n")
    page.keyboard.press("2")

    told = {one.get("attributes", {}).get("direction"): one for one in sent(fake, page)}
    assert {"left", "right", None} == set(told)
    assert [50, 50] == [told[name]["attributes"]["speed"] for name in ("left", "right")]
    assert "attributes" not in told[None]


def test_in_chinese(ask: Callable[..., Any]) -> None:
    """The form speaks the language of the page."""
    _, page = ask("box", CAR, language="zh")
    page.keyboard.press("Tab")

    expect(page.locator(".attribute-form legend")).to_contain_text("属性")
    expect(page.locator(".attribute-needed")).to_have_text("必填")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_is_clean(browser: Browser, serve: Serve, static: Any, scheme: Any) -> None:
    """Axe finds nothing while something is needed, and nothing when all is given; at 320 pixels nothing is cut off."""
    schema = choice_schema("car", "bus", kind="box", modality="image", attributes=ATTRIBUTES)
    fake = serve(schema=schema, media=picture(), tasks=[image_task(1, suggestions=[suggestion([CAR])])])
    with browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(fake.label_page)
        page.locator(".region-row").wait_for()
        page.keyboard.press("Tab")
        found = violations(page)
        page.keyboard.press(key_of(page, "left"))
        page.keyboard.press(key_of(page, "occluded"))
        found += violations(page)
        page.set_viewport_size({"width": 320, "height": 800})
        wide = page.evaluate("() => document.documentElement.scrollWidth")

    assert found == []
    assert wide <= 320
