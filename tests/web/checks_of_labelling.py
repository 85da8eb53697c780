"""What the keys do that every kind of label has."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.web.desks import SECONDS, TEN, Check, Desks
from tests.web.fake_server import choice_schema, suggestion
from tests.web.media import audio_task, recording


def labels(desks: Desks, act: str, key: str) -> None:
    """The key of a class is its answer."""
    desk = desks.choice()
    desk.press(key)
    desk.shows("number 2:")
    desk.is_saved()
    assert desk.fake.answers() == {"i1": TEN[int(act.removeprefix("label_")) - 1]}


def plays_item(desks: Desks, _: str, key: str) -> None:
    """A recording in a choice is played, and paused."""
    tasks = [audio_task(1, seconds=SECONDS)]
    desk = desks.open(
        ".item-audio", schema=choice_schema("a", "b", modality="audio"), tasks=tasks, media=recording(SECONDS)
    )
    desk.press(key)
    expect(desk.page.locator(".item-audio")).to_have_js_property("paused", False)
    desk.press(key)
    expect(desk.page.locator(".item-audio")).to_have_js_property("paused", True)


def finds_label(desks: Desks, _: str, key: str) -> None:
    """Letters after it find a class, Enter answers with it."""
    desk = desks.choice()
    desk.press(key, *"c 7", "Enter")
    desk.shows("number 2:")
    desk.is_saved()
    assert desk.fake.answers() == {"i1": "topic 7"}


def accepts(desks: Desks, _: str, key: str) -> None:
    """What is suggested is the answer."""
    desk = desks.choice(suggestions=[suggestion("topic 3")])
    desk.press(key)
    desk.shows("number 2:")
    desk.is_saved()
    [vote] = desk.fake.stored()
    assert (vote["value"], vote["verdict"]) == ("topic 3", "accepted")


def rejects(desks: Desks, _: str, key: str) -> None:
    """A vote against what is suggested is sent with the answer."""
    desk = desks.choice(suggestions=[suggestion("topic 3")])
    desk.press(key, "1")
    desk.shows("number 2:")
    desk.is_saved()
    assert [vote["base"] for vote in desk.fake.stored("reject")] == ["s-model v7-0.83"]


def remarks(kind: str, words: str | None = None) -> Check:
    """Something is said about the item, with a word of why where a field opens."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.choice()
        desk.press(key)
        if words is not None:
            desk.page.keyboard.type(words)
            desk.press("Enter")
        expect(desk.page.get_by_role("dialog")).to_have_count(0)
        desk.is_saved()
        assert [(vote["item"], vote["reason"]) for vote in desk.fake.stored(kind)] == [("i1", words or "")]

    return check


def undoes(desks: Desks, _: str, key: str) -> None:
    """The answer before is retracted, its item comes back."""
    desk = desks.choice()
    desk.press("1")
    desk.shows("number 2:")
    desk.press(key)
    desk.shows("number 1:")
    desk.is_saved()
    assert [vote["item"] for vote in desk.fake.stored("retract")] == ["i1"]
    assert desk.fake.answers() == {}


def redoes(desks: Desks, _: str, key: str) -> None:
    """What was taken back is answered once more."""
    desk = desks.choice()
    desk.press("4")
    desk.shows("number 2:")
    desk.press("u")
    desk.shows("number 1:")
    desk.press(key)
    desk.shows("number 2:")
    desk.is_saved()
    assert desk.fake.answers() == {"i1": "topic 4"}


def looks_back(desks: Desks, _: str, key: str) -> None:
    """A class given while looking back replaces the old answer."""
    desk = desks.choice()
    desk.press("4")
    desk.shows("number 2:")
    desk.press(key)
    expect(desk.page.locator(".looking-back")).to_contain_text("topic 4")
    desk.press("5")
    desk.shows("number 2:")
    desk.is_saved()
    assert desk.fake.answers() == {"i1": "topic 5"}


def looks_ahead(desks: Desks, _: str, key: str) -> None:
    """From looking back it returns to the work, and nothing was changed."""
    desk = desks.choice()
    desk.press("4")
    desk.shows("number 2:")
    desk.press("ArrowLeft")
    desk.shows("number 1:")
    desk.press(key)
    desk.shows("number 2:")
    desk.is_saved()
    assert desk.fake.answers() == {"i1": "topic 4"}


def opens(sign: str) -> Check:
    """Something comes on the screen."""

    def check(desks: Desks, _: str, key: str) -> None:
        desk = desks.choice()
        desk.press(key)
        expect(desk.page.locator(sign)).to_be_visible()

    return check
