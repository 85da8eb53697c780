"""The labelling page of a project of each sort, for pressing keys on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from playwright.sync_api import Page, expect
from tests.web.fake_server import FakeServer, choice_schema, task
from tests.web.media import audio_task, image_task, picture, recording

__all__ = ["LINES", "SECONDS", "TEN", "Check", "Desk", "Desks"]

SECONDS = 8.0
LINES = "alpha beta\ngamma delta"
TEN = [f"topic {number}" for number in range(1, 11)]


class Desk:
    """The labelling page of one project, and what was stored by it."""

    def __init__(self, fake: FakeServer, page: Page) -> None:
        self.fake, self.page = fake, page

    def press(self, *keys: str) -> None:
        """Press keys as the table names them."""
        for key in keys:
            self.page.keyboard.press(key.replace("Ctrl+", "Control+"))

    def press_with(self, key: str, keys: Sequence[str]) -> None:
        """Press keys, and the one looked at in the place of KEY."""
        self.press(*(key if one == "KEY" else one for one in keys))

    def is_saved(self) -> None:
        """Wait until everything has arrived."""
        expect(self.page.locator(".saved")).to_have_text("all saved")

    def answer(self) -> Any:
        """Send with Enter; what the server then holds for the first item."""
        self.press("Enter")
        expect(self.page.locator(".empty")).to_be_visible()
        self.is_saved()
        return self.fake.answers()["i1"]

    def shows(self, text: str) -> None:
        """Wait until the item on screen has this text."""
        expect(self.page.locator(".item-text")).to_contain_text(text)


class Desks:
    """Opens the labelling page of projects of each sort, one after the other on one page.

    Each is another person's, so that nothing kept in the browser is in the way of the next.
    """

    def __init__(self, fake: FakeServer, page: Page) -> None:
        self.fake, self.page, self.n_people = fake, page, 0

    def open(self, sign: str, **contents: Any) -> Desk:
        """The page, once it shows `sign`."""
        self.page.goto("about:blank")
        self.n_people += 1
        self.fake.become(person=f"ana {self.n_people}", **contents)
        self.page.goto(self.fake.label_page)
        self.page.locator(sign).first.wait_for()
        return Desk(self.fake, self.page)

    def choice(self, **changes: Any) -> Desk:
        """Two texts and ten classes."""
        return self.open(".item-text", schema=choice_schema(*TEN), tasks=[task(1, **changes), task(2)])

    def shapes(self, kind: str = "box", **changes: Any) -> Desk:
        """One picture of 640 by 480."""
        schema = choice_schema("car", "dog", kind=kind, modality="image")
        return self.open(".shape-canvas canvas", schema=schema, media=picture(), tasks=[image_task(1, **changes)])

    def text(self) -> Desk:
        """One text of two lines."""
        schema = choice_schema("one", "two", kind="span")
        return self.open(".span-paragraph", schema=schema, tasks=[task(1, data={"text": LINES})])

    def sound(self, **changes: Any) -> Desk:
        """One recording of eight seconds."""
        schema = choice_schema("speech", "noise", kind="segment", modality="audio")
        tasks = [audio_task(1, seconds=SECONDS, **changes)]
        return self.open(".audio-track canvas", schema=schema, tasks=tasks, media=recording(SECONDS))


Check = Callable[[Desks, str, str], None]
"""Presses the key of an act, and looks at what came of it."""
