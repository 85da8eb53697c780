"""Shapes, spans and sounds for everybody: axe, the keyboard alone, narrow screens, both schemes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.web.fake_server import FakeServer, choice_schema, suggestion, task
from tests.web.kinds import canonical_answer
from tests.web.media import audio_task, image_task, picture, recording
from tests.web.test_access import violations

from labelmill.domain.rle import pack

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]

BOX = {"label": "a", "x": 10.0, "y": 20.0, "width": 90.0, "height": 60.0}
TRIANGLE = {"label": "b", "points": [[10.0, 10.0], [200.0, 10.0], [10.0, 200.0]]}
POINT = {"label": "a", "x": 10.0, "y": 20.0}
SPANS = [{"start": 0, "end": 7, "label": "a"}, {"start": 0, "end": 16, "label": "b"}]
MASK = {"label": "a", "size": [480, 640], "counts": pack([9620, *[180, 300] * 229, 180, 187480])}
SOUND = {"label": "a", "start": 1.0, "end": 2.0, "text": "well"}

VALUES: dict[str, Any] = {
    "box": [BOX],
    "polygon": [TRIANGLE],
    "point": [POINT],
    "mask": [MASK],
    "span": SPANS,
    "segment": [SOUND],
}


@pytest.fixture(params=["light", "dark"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Any:
    """A browser in one of the two colour schemes."""
    with browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", color_scheme=request.param
    ) as context:
        yield context


def opened(serve: Serve, kind: str, **changes: Any) -> FakeServer:
    """A project of the kind with one item, which has the kind's value as its draft or suggestion."""
    if kind == "span":
        return serve(schema=choice_schema("a", "b", kind=kind), tasks=[task(1, **changes)])
    if kind == "segment":
        schema = choice_schema("a", "b", kind=kind, modality="audio")
        return serve(schema=schema, tasks=[audio_task(1, seconds=4.0, **changes)], media=recording(4.0))
    schema = choice_schema("a", "b", kind=kind, modality="image")
    return serve(schema=schema, tasks=[image_task(1, **changes)], media=picture())


@pytest.mark.parametrize("kind", ["box", "mask", "span", "segment"])
def test_regions_are_clean(serve: Serve, open_page: Open, kind: str) -> None:
    """Axe finds nothing with suggestions of two sources, with a selected suggestion, with a region of one's own."""
    other = suggestion(VALUES[kind][:1], source="rule", kind="rule", score=0.6)
    fake = opened(serve, kind, suggestions=[suggestion(VALUES[kind]), other])
    page = open_page(fake.label_page)
    expect(page.locator(".region-row").first).to_be_visible()

    page.keyboard.press("Tab")
    found = violations(page)
    page.keyboard.press("a")
    page.locator(".region-row:not(.is-suggested)").click()
    found += violations(page)

    assert found == []


@pytest.mark.parametrize("context", ["light"], indirect=True)
@pytest.mark.parametrize("kind", sorted(VALUES))
def test_a_region_is_made_without_a_pointer(serve: Serve, open_page: Open, kind: str) -> None:
    """Keys alone make a region, choose it in the list, delete it, make it again and send it."""
    fake = opened(serve, kind)
    page = open_page(fake.label_page)
    page.locator("canvas, .span-paragraph").first.wait_for()
    make = {
        "span": ["ArrowRight", "Shift+ArrowRight", "2"],
        "segment": ["[", ">", "]", "2"],
        "mask": ["2", "Space", "Shift+ArrowRight", "Space"],
    }.get(kind, ["n", "2"])

    for key in [*make, "Delete", *make, "Enter"]:
        page.keyboard.press(key)
    expect(page.locator(".saved")).to_have_text("all saved")
    expect(page.locator(".empty")).to_be_visible()

    [region] = canonical_answer(fake)
    assert region["label"] == "b"
    assert set(region) - {"label"} == set(VALUES[kind][0]) - {"label", "text"}


@pytest.mark.parametrize("context", ["light"], indirect=True)
def test_the_list_is_walked_by_arrows(serve: Serve, open_page: Open) -> None:
    """With the focus in the list, arrows choose the rows, and Delete takes the chosen one."""
    boxes = [BOX | {"x": 10.0 * k} for k in range(4)]
    fake = opened(serve, "box", draft=boxes)
    page = open_page(fake.label_page)
    page.get_by_role("listbox").focus()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Delete")

    expect(page.get_by_role("option")).to_have_count(3)


@pytest.mark.parametrize("context", ["light"], indirect=True)
@pytest.mark.parametrize("kind", ["polygon", "mask", "span", "segment"])
def test_nothing_is_cut_off_when_narrow(serve: Serve, open_page: Open, context: BrowserContext, kind: str) -> None:
    """At 320 pixels nothing needs scrolling to the side, and all that can be pressed is large enough."""
    fake = opened(serve, kind, draft=VALUES[kind])
    page = open_page(fake.label_page)
    page.set_viewport_size({"width": 320, "height": 640})
    page.locator(".region-row").first.click()

    measure = """() => [...document.querySelectorAll("button, [role=option]")]
        .map((one) => [one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => Math.min(box.width, box.height) < 24).map(([text]) => text)"""

    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    assert page.evaluate(measure) == []
