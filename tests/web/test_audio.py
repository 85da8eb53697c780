"""People who mark sounds, against a server that speaks the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.web.fake_server import FakeServer, choice_schema, suggestion
from tests.web.kinds import canonical_answer
from tests.web.media import audio_task, recording

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]


@pytest.fixture
def listen(serve: Serve, open_page: Open) -> Callable[..., tuple[FakeServer, Page]]:
    """Opens the labelling page on a recording; a second one waits."""

    def start(*, seconds: float = 8.0, heard: float | None = None, **changes: Any) -> tuple[FakeServer, Page]:
        tasks = [audio_task(1, seconds=seconds, **changes), audio_task(2, seconds=seconds)]
        schema = choice_schema("speech", "noise", kind="segment", modality="audio")
        fake = serve(schema=schema, tasks=tasks, media=recording(seconds, heard=heard))
        page = open_page(fake.label_page)
        page.locator(".audio-track canvas").first.wait_for()
        return fake, page

    return start


def answer(fake: FakeServer, page: Page) -> Any:
    """Sends with Enter and gives what the server then holds for the first item."""
    page.keyboard.press("Enter")
    expect(page.locator(".saved")).to_have_text("all saved")
    expect(page.locator(".region-row")).to_have_count(0)
    return canonical_answer(fake)


def test_regions_by_keys(listen: Callable[..., Any]) -> None:
    """Brackets set borders at the playhead, commas step by 10 ms, a class key relabels, the field takes the words."""
    fake, page = listen()

    for key in (">", ">", "<", "+", "-", "z", "["):
        page.keyboard.press(key)
    for _ in range(5):
        page.keyboard.press(".")
    page.keyboard.press("]")
    page.keyboard.press("2")
    page.keyboard.press(">")
    page.keyboard.press("[")
    page.keyboard.press(">")
    page.keyboard.press(",")
    page.keyboard.press("]")
    page.keyboard.press("1")
    page.get_by_label("What is said").fill("你好 world")
    page.get_by_label("What is said").press("Enter")
    page.locator(".stage").focus()

    assert [
        {"label": "noise", "start": 1, "end": 1.05},
        {"label": "speech", "start": 2.05, "end": 3.04, "text": "你好 world"},
    ] == answer(fake, page)


def test_a_region_is_dragged_out_and_its_end_pulled(listen: Callable[..., Any]) -> None:
    """A drag on the waveform is a region; an edge of it follows the pointer; undo puts the edge back."""
    fake, page = listen()
    box = page.locator(".audio-track").bounding_box()
    assert box is not None
    second = box["width"] / 8

    def drag(start: float, end: float) -> None:
        page.mouse.move(box["x"] + start * second, box["y"] + 80)
        page.mouse.down()
        page.mouse.move(box["x"] + end * second, box["y"] + 80, steps=3)
        page.mouse.up()

    drag(2, 4)
    drag(4, 6)
    expect(page.locator(".region-words")).to_contain_text("0:06.0")
    page.keyboard.press("u")

    [region] = answer(fake, page)
    assert region["label"] == "speech"
    assert abs(region["start"] - 2) < 0.02
    assert abs(region["end"] - 4) < 0.02


def test_suggested_regions(listen: Callable[..., Any]) -> None:
    """A suggested region is accepted, another dropped; typed times are taken."""
    suggested = [{"label": "speech", "start": 1.0, "end": 2.0}, {"label": "noise", "start": 3.0, "end": 4.0}]
    fake, page = listen(suggestions=[suggestion(suggested, source="aligner")])
    expect(page.locator(".region-row.is-suggested")).to_have_count(2)

    page.keyboard.press("Tab")
    page.keyboard.press("a")
    page.keyboard.press("x")
    page.locator(".region-row").click()
    page.get_by_label("End").fill("2.5")
    page.get_by_label("End").press("Enter")
    page.locator(".stage").focus()

    assert answer(fake, page) == [{"label": "speech", "start": 1, "end": 2.5}]


def test_space_plays_the_region_and_stops_at_its_end(listen: Callable[..., Any]) -> None:
    """The playhead runs from the region's start to its end and stands there."""
    _, page = listen(draft=[{"label": "speech", "start": 1.0, "end": 1.3}])
    page.locator(".region-row").click()
    page.locator(".stage").focus()

    page.keyboard.press("Space")

    expect(page.locator(".audio-clock")).to_have_text("0:01.30 / 0:08.00")


def test_an_hour_is_ready_at_once(listen: Callable[..., Any]) -> None:
    """Of an hour's tiles only those in sight are fetched: the overview and the first minute."""
    fake, page = listen(seconds=3600.0, heard=2.0)
    page.wait_for_function("document.querySelector('.audio-track canvas').getContext('2d').getImageData(40, 100, 1, 1)")
    page.wait_for_timeout(300)

    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    tiles = [address for address in asked if "/100/" in address or "/1/" in address]
    assert len(tiles) <= 6
    assert fake.stored() == []
