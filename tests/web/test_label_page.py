"""People at work on the labelling page, against a server that speaks the contract."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.web.fake_server import PASSWORD, FakeServer, choice_schema, suggestion, task

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAFElEQVR4nGM8UaHBgA0wYRUlSwIAjGQBcKqQES0AAAAASUVORK5CYII="
)

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]


def shows(page: Page, number: int) -> None:
    """Waits until the item of this number is on the screen."""
    expect(page.locator(".item-text")).to_contain_text(f"Message number {number}:")


def is_saved(page: Page) -> None:
    """Waits until everything has arrived."""
    expect(page.locator(".saved")).to_have_text("all saved")


def test_twenty_labels_by_keyboard(fake: FakeServer, open_page: Open) -> None:
    """Twenty items take twenty key presses, and each answer is stored once with its time."""
    page = open_page(fake.label_page)

    for number in range(1, 21):
        shows(page, number)
        page.keyboard.press(str(1 + number % 3))
    is_saved(page)

    names = ["billing", "bug", "praise"]
    assert fake.answers() == {f"i{number}": names[number % 3] for number in range(1, 21)}
    assert len(fake.votes) == 20
    assert all(0 <= vote["ms_active"] <= vote["ms_total"] for vote in fake.stored())
    assert {vote["verdict"] for vote in fake.stored()} == {"blind"}


def test_a_held_key_answers_once(fake: FakeServer, open_page: Open) -> None:
    """A key that is held down and repeats answers one item."""
    page = open_page(fake.label_page)
    shows(page, 1)

    for _ in range(4):
        page.keyboard.down("1")
    page.keyboard.up("1")
    shows(page, 2)
    is_saved(page)

    assert list(fake.answers()) == ["i1"]


def test_offline_answers_survive_closing_and_arrive_once(
    fake: FakeServer, open_page: Open, context: BrowserContext
) -> None:
    """Five answers given offline stay on the computer when the tab is closed, and arrive once from the next one."""
    page = open_page(fake.label_page)
    shows(page, 1)
    expect(page.locator(".bottom-ready")).to_have_text(re.compile("[6-9] ready"))

    context.set_offline(True)
    for number in range(1, 6):
        shows(page, number)
        page.keyboard.press("1")
    expect(page.locator(".saved")).to_have_text("offline, 5 kept here")
    page.close()
    assert fake.stored() == []
    context.set_offline(False)
    again = open_page(fake.label_page)
    shows(again, 6)
    is_saved(again)

    assert [f"i{number}" for number in range(1, 6)] == [vote["item"] for vote in fake.stored()]


def test_lost_answers_of_the_server_store_nothing_twice(fake: FakeServer, open_page: Open) -> None:
    """Votes whose acknowledgement is lost, and votes refused three times by 503, are stored once."""
    fake.forgets_answers = 2
    fake.n_failures = 0
    page = open_page(fake.label_page)
    shows(page, 1)
    page.keyboard.press("1")
    shows(page, 2)
    page.keyboard.press("2")
    is_saved(page)
    fake.n_failures = 2
    page.keyboard.press("3")
    is_saved(page)

    assert fake.answers() == {"i1": "billing", "i2": "bug", "i3": "praise"}
    assert len(fake.votes) == 3


def test_a_draft_comes_back_after_a_reload(serve: Serve, open_page: Open) -> None:
    """Choices made but not sent are there again after a reload, and Enter sends them."""
    fake = serve(schema=choice_schema("a", "b", "c", kind="multi_choice"))
    page = open_page(fake.label_page)
    shows(page, 1)
    page.keyboard.press("1")
    page.keyboard.press("3")
    expect(page.locator(".class-key[aria-pressed=true]")).to_have_count(2)
    page.wait_for_timeout(400)

    page.reload()
    expect(page.locator(".class-key[aria-pressed=true]")).to_have_count(2)
    page.keyboard.press("Enter")
    shows(page, 2)
    is_saved(page)

    assert fake.answers() == {"i1": ["a", "c"]}
    expect(page.locator(".class-key[aria-pressed=true]")).to_have_count(0)


def test_undo_and_redo_across_items(fake: FakeServer, open_page: Open) -> None:
    """Undo retracts the answer before and shows its item; another answer replaces it; redo repeats what was undone."""
    page = open_page(fake.label_page)
    for number, key in ((1, "1"), (2, "1"), (3, "1")):
        shows(page, number)
        page.keyboard.press(key)
    shows(page, 4)

    page.keyboard.press("u")
    shows(page, 3)
    page.keyboard.press("u")
    shows(page, 2)
    page.keyboard.press("Shift+U")
    shows(page, 3)
    page.keyboard.press("2")
    shows(page, 4)
    is_saved(page)

    assert fake.answers() == {"i1": "billing", "i2": "billing", "i3": "bug"}
    assert [vote["item"] for vote in fake.stored("retract")] == ["i3", "i2"]


def test_undo_inside_an_item_comes_first(serve: Serve, open_page: Open) -> None:
    """In a multiple choice, undo takes the last choice back before it leaves the item."""
    fake = serve(schema=choice_schema("a", "b", "c", kind="multi_choice"))
    page = open_page(fake.label_page)
    shows(page, 1)
    page.keyboard.press("1")
    page.keyboard.press("2")

    page.keyboard.press("Control+z")
    expect(page.locator(".class-key[aria-pressed=true]")).to_have_text(re.compile("a"))
    page.keyboard.press("Enter")
    is_saved(page)

    assert fake.answers() == {"i1": ["a"]}
    assert fake.stored("retract") == []


def test_an_ended_session_keeps_everything(fake: FakeServer, open_page: Open) -> None:
    """When the session has ended, one signs in over the page and the answers given meanwhile arrive."""
    page = open_page(fake.label_page)
    shows(page, 1)
    fake.is_signed_in = False

    page.keyboard.press("1")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(page.locator(".saved")).to_have_text("1 kept here")
    dialog.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("This name and password do not belong together.")
    dialog.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    is_saved(page)
    shows(page, 2)
    page.keyboard.press("2")
    is_saved(page)

    assert fake.answers() == {"i1": "billing", "i2": "bug"}


def test_a_key_is_changed_and_conflicts_are_refused(fake: FakeServer, open_page: Open) -> None:
    """A person's own key acts at once and is kept by the server; a key that does something else is refused."""
    page = open_page(fake.label_page)
    shows(page, 1)

    page.keyboard.press("?")
    page.locator("[data-act=skip]").click()
    page.keyboard.press("f")
    expect(page.locator(".keys-said")).to_have_text("“F” already does: flag.")
    page.locator("[data-act=skip]").click()
    page.keyboard.press("q")
    expect(page.locator(".keys-said")).to_have_text("Key changed.")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    shows(page, 1)
    page.keyboard.press("q")
    shows(page, 2)
    is_saved(page)

    assert fake.keys == {"skip": "q"}
    assert [vote["item"] for vote in fake.stored("skip")] == ["i1"]
    page.reload()
    shows(page, 2)
    page.keyboard.press("q")
    shows(page, 3)


def test_character_keys_can_be_switched_off(fake: FakeServer, open_page: Open) -> None:
    """Switched off, keys of one character do nothing, and the buttons still work."""
    page = open_page(fake.label_page)
    shows(page, 1)
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Keys of one character act").uncheck()
    page.keyboard.press("Escape")

    page.keyboard.press("1")
    shows(page, 1)
    page.get_by_role("button", name="bug").click()
    shows(page, 2)


@pytest.mark.parametrize(
    ("key", "value", "verdict"), [("Enter", "bug", "accepted"), ("2", "bug", "accepted"), ("1", "billing", "edited")]
)
def test_what_became_of_a_suggestion(serve: Serve, open_page: Open, key: str, value: str, verdict: str) -> None:
    """The vote says whether the suggestion shown was accepted or another answer was given."""
    fake = serve(tasks=[task(1, suggestions=[suggestion("bug"), suggestion("praise", score=0.6, source="rule x")])])
    page = open_page(fake.label_page)
    expect(page.locator(".suggestion").first).to_contain_text("model v7")

    page.keyboard.press(key)
    expect(page.locator(".empty")).to_contain_text("Nothing left for you")
    is_saved(page)

    [vote] = fake.stored()
    assert (vote["value"], vote["verdict"], vote["base"]) == (value, verdict, "s-model v7-0.83")


def test_a_rejected_suggestion_is_a_vote_against_it(serve: Serve, open_page: Open) -> None:
    """Rejecting leaves the item for a label, can be undone, and is told when the label is given."""
    fake = serve(tasks=[task(1, suggestions=[suggestion("bug")])])
    page = open_page(fake.label_page)
    card = page.locator(".suggestion")
    expect(card).to_have_count(1)

    page.keyboard.press("x")
    expect(card).to_have_count(0)
    page.keyboard.press("u")
    expect(card).to_have_count(1)
    page.keyboard.press("x")
    page.keyboard.press("1")
    is_saved(page)

    assert [vote["base"] for vote in fake.stored("reject")] == ["s-model v7-0.83"]
    assert [(vote["value"], vote["verdict"]) for vote in fake.stored()] == [("billing", "rejected")]


@pytest.mark.parametrize("changes", [{"blind": True}, {"suggestions": [suggestion("bug", score=0.4)]}])
def test_hidden_suggestions_are_not_shown(serve: Serve, open_page: Open, changes: dict[str, Any]) -> None:
    """Blind items and suggestions below the threshold show none, and the vote says that none was seen."""
    fake = serve(tasks=[task(1, **({"suggestions": [suggestion("bug")]} | changes))])
    page = open_page(fake.label_page)
    shows(page, 1)

    expect(page.locator(".suggestion")).to_have_count(0)
    page.keyboard.press("2")
    is_saved(page)

    assert [(vote["verdict"], vote["base"]) for vote in fake.stored()] == [("blind", None)]


def test_skip_flag_and_comment(fake: FakeServer, open_page: Open) -> None:
    """A flag and a comment are sent and leave the item; a skip with a reason goes on."""
    page = open_page(fake.label_page)
    shows(page, 1)

    page.keyboard.press("f")
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    page.keyboard.type("two topics in one?")
    page.keyboard.press("Enter")
    shows(page, 1)
    page.keyboard.press("Shift+S")
    page.keyboard.type("cut off")
    page.keyboard.press("Enter")
    shows(page, 2)
    page.keyboard.press("s")
    shows(page, 3)
    is_saved(page)

    sent = [(vote["kind"], vote["item"], vote["reason"]) for vote in fake.votes.values()]
    expected = [
        ("flag", "i1", ""),
        ("comment", "i1", "two topics in one?"),
        ("skip", "i1", "cut off"),
        ("skip", "i2", ""),
    ]
    assert sent == expected


def test_looking_back_and_changing_an_answer(fake: FakeServer, open_page: Open) -> None:
    """The arrows look back without changing anything; a label given there replaces the old answer."""
    page = open_page(fake.label_page)
    for number in (1, 2, 3):
        shows(page, number)
        page.keyboard.press("1")
    shows(page, 4)

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    shows(page, 2)
    expect(page.locator(".looking-back")).to_contain_text("billing")
    page.keyboard.press("ArrowRight")
    shows(page, 3)
    page.keyboard.press("ArrowRight")
    shows(page, 4)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("3")
    shows(page, 4)
    is_saved(page)

    assert fake.answers() == {"i1": "billing", "i3": "billing", "i2": "praise"}
    assert [vote["item"] for vote in fake.stored("retract")] == ["i2"]


def test_undo_reaches_behind_a_reload(fake: FakeServer, open_page: Open) -> None:
    """After a reload one can still look back at the answers before, and take the last one back."""
    page = open_page(fake.label_page)
    for number in (1, 2):
        shows(page, number)
        page.keyboard.press("1")
    is_saved(page)

    with page.expect_response("**/done?limit=20"):
        page.reload()
    shows(page, 3)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".looking-back")).to_contain_text("Looking back: 2 of 2")
    page.keyboard.press("u")
    shows(page, 2)
    page.keyboard.press("2")
    shows(page, 3)
    is_saved(page)

    assert fake.answers() == {"i1": "billing", "i2": "bug"}


def test_nothing_grows_with_the_items(
    serve: Serve, open_page: Open, context: BrowserContext, request: pytest.FixtureRequest
) -> None:
    """Over many items the page gains no elements and under 5 MB of heap."""
    n_items = 300 if request.config.getoption("--slow") else 60
    fake = serve(tasks=[task(number) for number in range(1, n_items + 40)])
    page = open_page(fake.label_page)
    session = context.new_cdp_session(page)

    def size(last: int) -> tuple[int, int]:
        shows(page, last)
        is_saved(page)
        session.send("HeapProfiler.collectGarbage")
        counted = session.send("Memory.getDOMCounters")["nodes"]
        return counted, session.send("Runtime.getHeapUsage")["usedSize"]

    for number in range(1, 11):
        shows(page, number)
        page.keyboard.press("1")
    nodes, heap = size(11)
    for number in range(11, n_items + 1):
        shows(page, number)
        page.keyboard.press("1")
    more_nodes, more_heap = size(n_items + 1)

    assert more_nodes <= nodes + 20
    assert more_heap < heap + 5_000_000


def test_a_refused_answer_is_kept_and_shown(fake: FakeServer, open_page: Open) -> None:
    """What the server refuses stays on the computer until the person sends it again or gives it up."""
    fake.refused_items = {"i1"}
    page = open_page(fake.label_page)
    shows(page, 1)
    page.keyboard.press("1")
    shows(page, 2)

    page.get_by_role("button", name="1 not accepted").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("this item was withdrawn")
    page.reload()
    page.get_by_role("button", name="1 not accepted").click()
    fake.refused_items = set()
    dialog.get_by_role("button", name="Send again").click()
    is_saved(page)

    assert fake.answers() == {"i1": "billing"}


@pytest.mark.parametrize(
    ("kind", "typed", "value"), [("number", "3,5", 3.5), ("text", "Grüße, 世界", "Grüße, 世界"), ("rating", "", "bug")]
)
def test_numbers_texts_and_ratings(serve: Serve, open_page: Open, kind: str, typed: str, value: Any) -> None:
    """A field has the focus when the item comes, Enter sends it; a step of a scale is one key."""
    fake = serve(schema=choice_schema(kind=kind))
    page = open_page(fake.label_page)
    for number in (1, 2):
        shows(page, number)
        page.keyboard.type(typed or "2")
        if typed:
            page.keyboard.press("Enter")
    shows(page, 3)
    is_saved(page)

    assert fake.answers() == {"i1": value, "i2": value}


def test_a_ranking_is_keys_in_order(serve: Serve, open_page: Open) -> None:
    """Keys in the order of preference rank the classes; the last one that is left needs no key."""
    fake = serve(schema=choice_schema("red", "green", "blue", kind="ranking"))
    page = open_page(fake.label_page)
    shows(page, 1)

    page.keyboard.press("3")
    page.keyboard.press("1")
    assert page.locator(".class-key").evaluate_all("all => all.map((one) => one.dataset.mark)") == ["2", "3", "1"]
    page.keyboard.press("Enter")
    shows(page, 2)
    is_saved(page)

    assert fake.answers() == {"i1": ["blue", "red", "green"]}


def test_pictures_are_shown_and_ready(serve: Serve, open_page: Open) -> None:
    """A picture is shown whole, and those that wait are fetched before they are wanted."""
    pictures = [task(n, data={"image": f"/media/{n}.png", "width": 8, "height": 4}) for n in range(1, 6)]
    media = {f"/media/{n}.png": ("image/png", PICTURE) for n in range(1, 6)}
    fake = serve(schema=choice_schema(modality="image"), tasks=pictures, media=media)
    page = open_page(fake.label_page)
    picture = page.locator(".item-image")

    for number in range(1, 6):
        expect(picture).to_have_attribute("src", f"/media/{number}.png")
        assert picture.evaluate("one => one.complete && one.naturalWidth") == 8
        page.keyboard.press("1")
    is_saved(page)

    assert len(fake.answers()) == 5


def test_a_message_is_said_each_time(fake: FakeServer, open_page: Open) -> None:
    """The same message twice is shown twice, and stands in the status line for those who hear it."""
    page = open_page(fake.label_page)
    shows(page, 1)

    for _ in range(2):
        page.keyboard.press("u")
        expect(page.locator(".said")).to_have_text("Nothing to take back.")
        expect(page.locator(".said")).to_be_visible()
        page.evaluate("() => document.querySelector('.said').getAnimations().map((one) => one.finish())")
        expect(page.locator(".said")).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="Nothing to take back.")).to_have_count(1)


def test_many_classes_are_found_by_letters(serve: Serve, open_page: Open) -> None:
    """Over nine classes, the slash leads to a field that finds a class, and Enter answers with it."""
    fake = serve(schema=choice_schema(*[f"topic {number}" for number in range(40)], "zebra"))
    page = open_page(fake.label_page)
    shows(page, 1)

    page.keyboard.press("/")
    page.keyboard.type("zeb")
    page.keyboard.press("Enter")
    shows(page, 2)
    page.keyboard.press("0")
    shows(page, 3)
    is_saved(page)

    assert fake.answers() == {"i1": "zebra", "i2": "topic 9"}


def test_unseen_items_are_given_back(fake: FakeServer, open_page: Open) -> None:
    """Closing the tab gives back what was fetched and not seen; what was on the screen stays leased."""
    page = open_page(fake.label_page)
    shows(page, 1)
    expect(page.locator(".bottom-ready")).to_have_text("7 ready")

    page.goto("about:blank")
    page.wait_for_timeout(200)

    assert fake.given_back == [f"a{number}" for number in range(2, 9)]


def test_leases_that_were_lost_in_the_background_are_not_worked_on(fake: FakeServer, open_page: Open) -> None:
    """A tab that comes back asks what it still holds; what others have by now leaves its queue."""
    page = open_page(fake.label_page)
    shows(page, 1)
    expect(page.locator(".bottom-ready")).to_have_text("7 ready")
    fake.lost = {"a2", "a3"}

    with page.expect_response("**/renew"):
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".bottom-ready")).to_have_text("9 ready")
    page.keyboard.press("1")
    shows(page, 4)
    is_saved(page)

    assert list(fake.answers()) == ["i1"]
