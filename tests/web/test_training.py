"""Training in the browser: a start, lessons, a result, by keys alone and in every scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.web.fake_server import FakeServer, choice_schema, task
from tests.web.test_access import violations
from tests.web.test_label_page import PICTURE

Open = Callable[[str], Page]

REASONS = {"i1": "Money is **billing**.", "i3": "It does not work."}


@dataclass
class School(FakeServer):
    """A server that trains: the first `n` tasks have known answers, real work follows."""

    n: int = 3
    pass_mark: float = 0.6
    attempts: int = 2
    known: Any = "billing"
    state: str = "training"
    attempt: int = 1
    scores: list[bool] = field(default_factory=list)
    last: dict[str, int] | None = None
    examples: list[dict[str, Any]] = field(default_factory=list)

    def standing(self) -> dict[str, Any]:
        """Where the person stands."""
        told = {"state": self.state, "attempt": self.attempt, "attempts": self.attempts, "pass_mark": self.pass_mark}
        return told | {"n": self.n, "done": len(self.scores), "right": sum(self.scores), "last": self.last}

    def project(self) -> dict[str, Any]:
        """With the standing and the examples."""
        return super().project() | {"qualification": self.standing(), "examples": self.examples}

    def next(self, body: dict[str, Any]) -> dict[str, Any]:
        """Training first, nothing while held back, then real work."""
        told = super().next(body | {"n": 100})
        room = self.n - len(self.scores) - len(body["have"])
        some = {"training": max(0, min(body["n"], room)), "qualified": body["n"]}.get(self.state, 0)
        purpose = "training" if self.state == "training" else "label"
        tasks = [one | {"purpose": purpose} for one in told["tasks"][:some]]
        return {"tasks": tasks, "left": len(tasks), "stale": [], "qualification": self.standing()}

    def store(self, body: dict[str, Any]) -> dict[str, Any]:
        """A lesson after each answer in training."""
        was_training = self.state == "training"
        results = super().store(body)["results"]
        for vote, result in zip(body["votes"], results, strict=True):
            if was_training and vote["kind"] in {"label", "skip"} and result["status"] == "stored":
                result["lesson"] = self._lesson(vote)
        return {"results": results}

    def _lesson(self, vote: dict[str, Any]) -> dict[str, Any]:
        right = vote["value"] == self.known
        self.scores.append(right)
        score = {"right": sum(self.scores), "done": len(self.scores), "n": self.n}
        if len(self.scores) == self.n:
            self._end_of_attempt(score)
        reason = REASONS.get(vote["item"], "")
        return {"right": right, "answer": self.known, "reason": reason, "score": score | {"state": self.state}}

    def _end_of_attempt(self, score: dict[str, int]) -> None:
        self.last = {"right": score["right"], "n": score["n"]}
        self.scores = []
        if score["right"] >= self.pass_mark * self.n:
            self.state = "qualified"
        elif self.attempt == self.attempts:
            self.state = "failed"
        else:
            self.attempt += 1


@pytest.fixture
def school(static: Path) -> Iterator[Callable[..., School]]:
    """Starts a school with such contents; it ends with the test."""
    started: list[School] = []

    def start(**contents: Any) -> School:
        started.append(School(static, **contents))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def begin(page: Page) -> None:
    """Go on from the start screen once it is there."""
    expect(page.get_by_role("heading", name="Before you begin")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".stage")).to_be_visible()


def learn(page: Page, *keys: str) -> None:
    """Answer and go on, by keys."""
    for key in keys:
        expect(page.locator(".stage .item-text")).to_be_visible()
        page.keyboard.press(key)
        expect(page.locator(".lesson")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.locator(".lesson")).to_have_count(0)


def test_the_way_into_real_work_by_keys(school: Callable[..., School], open_page: Open) -> None:
    """Start, an answer each with its lesson, a result, real work: no pointer, and nothing through the outbox."""
    server = school()
    page = open_page(server.label_page)
    expect(page.get_by_role("heading", name="Before you begin")).to_be_visible()
    expect(page.locator(".training")).to_contain_text("You label 3 items")
    expect(page.locator(".training .prose")).to_contain_text("Choose one topic")

    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_text("training")
    page.keyboard.press("2")
    lesson = page.locator(".lesson")
    expect(lesson).to_contain_text("Not right")
    expect(lesson).to_contain_text("Money is billing.")
    expect(lesson.locator(".lesson-known")).to_have_text("billing")
    expect(page.locator(".class-key[aria-pressed=true]")).to_contain_text("billing")
    expect(page.locator(".top-progress")).to_contain_text("1 of 3")
    page.keyboard.press("1")
    expect(lesson).to_contain_text("Not right")
    page.keyboard.press("Enter")
    learn(page, "1", "1")
    expect(page.get_by_role("heading", name="You have passed")).to_be_visible()
    expect(page.locator(".training")).to_contain_text("2 of 3 right; 2 are needed.")

    page.keyboard.press("Enter")
    expect(page.locator(".item-text")).to_contain_text("Message number 4:")
    expect(page.locator(".chip")).to_have_count(0)
    page.keyboard.press("1")
    expect(page.locator(".item-text")).to_contain_text("Message number 5:")
    expect(page.locator(".lesson")).to_have_count(0)
    expect(page.locator(".saved")).to_have_text("all saved")
    assert [vote["item"] for vote in server.stored()] == ["i1", "i2", "i3", "i4"]


def test_below_the_mark_there_is_another_attempt(school: Callable[..., School], open_page: Open) -> None:
    """Not passed: the next attempt begins with the start screen, and after the last one a lead decides."""
    server = school()
    page = open_page(server.label_page)
    begin(page)
    learn(page, "2", "2", "1")
    expect(page.get_by_role("heading", name="Not yet")).to_be_visible()

    page.keyboard.press("Enter")
    expect(page.locator(".training-last")).to_have_text("Last time 1 of 3 were right; 60 % are needed.")
    expect(page.locator(".training")).to_contain_text("attempt 2 of 2")
    begin(page)
    learn(page, "2", "s", "2")

    expect(page.get_by_role("heading", name="Not passed")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Not passed")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Not passed")).to_be_visible()


def test_nothing_is_taken_back(school: Callable[..., School], open_page: Open) -> None:
    """Undo and looking back leave what was answered: the first answer counts."""
    server = school()
    page = open_page(server.label_page)
    begin(page)
    learn(page, "2")
    for key in ("u", "ArrowLeft"):
        page.keyboard.press(key)
        expect(page.locator(".said")).to_have_text("In training the first answer counts.")

    expect(page.locator(".item-text")).to_contain_text("Message number 2:")
    assert server.stored("retract") == []


def test_training_goes_on_after_a_reload(school: Callable[..., School], open_page: Open) -> None:
    """Who reloads in the middle comes back to the next item, without the start."""
    server = school()
    page = open_page(server.label_page)
    begin(page)
    learn(page, "1")

    page.reload()

    expect(page.locator(".item-text")).to_contain_text("Message number 2:")
    expect(page.locator(".top-progress")).to_contain_text("1 of 3")


def test_training_says_that_it_needs_the_connection(
    school: Callable[..., School], open_page: Open, context: BrowserContext
) -> None:
    """Offline an answer is not taken and nothing waits for sending; back online the same key press is answered."""
    server = school()
    page = open_page(server.label_page)
    begin(page)
    expect(page.locator(".item-text")).to_contain_text("Message number 1:")

    context.set_offline(True)
    page.keyboard.press("1")
    expect(page.locator(".said")).to_contain_text("Training needs the connection")
    expect(page.locator(".saved")).to_have_text("offline")
    context.set_offline(False)
    page.keyboard.press("1")

    expect(page.locator(".lesson")).to_contain_text("Right")
    assert len(server.stored()) == 1


def test_a_field_lets_go_of_enter(school: Callable[..., School], open_page: Open) -> None:
    """Where the answer is typed, Enter goes on from the lesson, and the next field has the focus."""
    server = school(schema=choice_schema(kind="text", classes=[]), known="a cat", n=2)
    page = open_page(server.label_page)
    begin(page)
    expect(page.locator(".answer .field")).to_be_focused()
    page.keyboard.type("a cat")
    page.keyboard.press("Enter")
    expect(page.locator(".lesson")).to_contain_text("Right")

    page.keyboard.press("Enter")

    expect(page.locator(".item-text")).to_contain_text("Message number 2:")
    expect(page.locator(".answer .field")).to_be_focused()
    expect(page.locator(".answer .field")).to_have_value("")


def test_what_is_drawn_is_shown_both_ways(school: Callable[..., School], open_page: Open) -> None:
    """In a picture the lesson draws the known boxes; arrows change to one's own and back."""
    known = [{"label": "cat", "x": 1.0, "y": 1.0, "width": 3.0, "height": 2.0}] * 2
    picture = {"image": "/media/p.png", "width": 8, "height": 4}
    schema = choice_schema("cat", kind="box", modality="image")
    examples = [{"item": "example:1", "data": picture, "answer": known[:1], "reason": "A cat is *all* of the cat."}]
    server = school(
        schema=schema,
        tasks=[task(number, data=picture) for number in (1, 2, 3)],
        media={"/media/p.png": ("image/png", PICTURE)},
        known=known,
        examples=examples,
    )
    page = open_page(server.label_page)
    expect(page.locator(".example .shape-canvas")).to_be_visible()
    expect(page.locator(".example")).to_contain_text("A cat is all of the cat.")
    begin(page)
    page.keyboard.press("n")
    expect(page.locator(".panel .region-row")).to_have_count(1)
    page.keyboard.press("Enter")

    rows = page.locator(".panel .region-row")
    expect(page.locator(".lesson-known")).to_have_text("2 boxes")
    expect(rows).to_have_count(2)
    page.keyboard.press("ArrowLeft")
    expect(rows).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(2)


def test_examples_stand_in_the_guideline(school: Callable[..., School], open_page: Open) -> None:
    """The drawer beside the work shows the examples with answer and reason."""
    examples = [{"item": "e", "data": {"text": "Where is my refund?"}, "answer": "billing", "reason": "Money."}]
    server = school(state="qualified", examples=examples)
    page = open_page(server.label_page)
    expect(page.locator(".item-text")).to_contain_text("Message number 1:")

    page.keyboard.press("g")

    expect(page.locator(".guideline .example")).to_contain_text("Where is my refund?")
    expect(page.locator(".guideline .answer-tag")).to_have_text("billing")
    page.keyboard.press("2")
    expect(page.locator(".stage .item-text")).to_contain_text("Message number 2:")


def test_who_is_paused_while_working_is_told(school: Callable[..., School], open_page: Open) -> None:
    """At the next items the page says that the work is paused, in the person's language."""
    server = school(state="qualified", language="zh", tasks=[task(number) for number in range(1, 9)])
    page = open_page(server.label_page)
    expect(page.locator(".item-text")).to_contain_text("Message number 1:")
    server.state = "paused"

    for _ in range(4):
        page.keyboard.press("1")
        page.wait_for_timeout(80)

    expect(page.get_by_role("heading", name="您的工作已暂停")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_screens_are_clean(school: Callable[..., School], browser: Browser, scheme: Any) -> None:
    """Axe finds nothing on the start, a lesson, the result and being held back; nothing is cut off at 320 pixels."""
    examples = [{"item": "e", "data": {"text": "Where is my refund?"}, "answer": "billing", "reason": "Money."}]
    server = school(examples=examples, n=1, pass_mark=1.0)
    found: list[str] = []
    with browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB", color_scheme=scheme) as context:
        page = context.new_page()

        def look() -> None:
            found.extend(violations(page))
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 320

        page.goto(server.label_page)
        expect(page.locator(".training h2")).to_be_visible()
        look()
        page.keyboard.press("Enter")
        expect(page.locator(".stage .item-text")).to_be_visible()
        page.keyboard.press("2")
        expect(page.locator(".lesson")).to_be_visible()
        look()
        page.keyboard.press("Enter")
        expect(page.locator(".training-result")).to_be_visible()
        look()
        server.state = "paused"
        page.reload()
        expect(page.locator(".training-result")).to_be_visible()
        look()

    assert found == []
