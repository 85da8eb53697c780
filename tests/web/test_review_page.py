"""The review page in a browser: every act by its key, and what the server has of it afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.web.fake_server import choice_schema
from tests.web.lead_server import LeadServer, case, starting, voice
from tests.web.media import picture, recording

Open = Callable[[str], Page]
Serve = Callable[..., LeadServer]

BOX = {"label": "cat", "x": 60, "y": 80, "width": 120, "height": 100}
DOG = {"label": "dog", "x": 300, "y": 200, "width": 150, "height": 120}
BIRD = {"label": "cat", "x": 480, "y": 40, "width": 90, "height": 90}
PICTURE = {"image": "/media/picture.png", "width": 640, "height": 480}
RANKED = ["bug", "praise", "billing"]
BOXES = choice_schema("cat", "dog", kind="box", modality="image")


@pytest.fixture
def serve(static: Path) -> Iterator[Serve]:
    """Starts a fake server for a lead; it ends with the test."""
    with starting(static) as start:
        yield start


def opened(open_page: Open, fake: LeadServer) -> Page:
    """The review page with its first case."""
    page = open_page(fake.page_of("review"))
    expect(page.locator(".side-head").first).to_be_visible()
    return page


def saved(page: Page) -> None:
    """Waits until every vote has arrived."""
    expect(page.locator(".saved")).to_have_text("all saved")


def place(page: Page) -> str:
    """Which case is on the screen."""
    return page.locator(".case-place").inner_text()


def test_one_key_takes_a_side_and_goes_on(serve: Serve, open_page: Open) -> None:
    """1 takes A, 2 takes B, Enter what leads; each is one review without an assignment, and the next case is there."""
    fake = serve()
    page = opened(open_page, fake)

    for key in ("1", "2", "Enter"):
        page.keyboard.press(key)

    saved(page)
    assert fake.answers() == {"i1": "billing", "i2": "bug", "i3": "billing"}
    assert place(page) == "4 of 5"
    votes = fake.stored()
    assert {vote["assignment"] for vote in votes} == {""}
    assert [(vote["verdict"], vote["base"]) for vote in votes[:2]] == [("accepted", "id-ana"), ("accepted", "model v7")]
    assert ("POST", "/api/projects/tickets/reviews") in fake.requests


def test_deciding_is_taken_back_and_taken_again(serve: Serve, open_page: Open) -> None:
    """U retracts the last decision and shows its case; Shift U decides it again the same way."""
    fake = serve()
    page = opened(open_page, fake)
    page.keyboard.press("1")
    page.keyboard.press("2")

    page.keyboard.press("u")
    expect(page.locator(".case-place")).to_have_text("2 of 5")
    saved(page)
    undone = fake.answers()
    page.keyboard.press("Shift+u")
    expect(page.locator(".case-place")).to_have_text("3 of 5")
    saved(page)

    assert undone == {"i1": "billing"}
    assert fake.answers() == {"i1": "billing", "i2": "bug"}
    assert len(fake.stored("retract")) == 1


def test_arrows_walk_without_deciding(serve: Serve, open_page: Open) -> None:
    """Next and previous change nothing; a decided case says how it was decided."""
    fake = serve()
    page = opened(open_page, fake)
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".case-place")).to_have_text("3 of 5")

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")

    expect(page.locator(".case-bar .chip")).to_have_text("decided: billing")
    assert fake.answers() == {"i1": "billing"}


def test_editing_uses_the_kinds_own_keys(serve: Serve, open_page: Open) -> None:
    """E opens the widget: 3 is the third class there, neither side's answer, and the vote says edited."""
    fake = serve()
    page = opened(open_page, fake)

    page.keyboard.press("e")
    expect(page.locator(".class-key")).to_have_count(3)
    page.keyboard.press("3")

    expect(page.locator(".case-place")).to_have_text("2 of 5")
    saved(page)
    assert fake.answers() == {"i1": "praise"}
    assert fake.stored()[0]["verdict"] == "edited"


def test_escape_leaves_editing_and_sends_nothing(serve: Serve, open_page: Open) -> None:
    """Esc brings the two sides back; u does it too where nothing was changed."""
    fake = serve()
    page = opened(open_page, fake)

    for key in ("Escape", "u"):
        page.keyboard.press("e")
        expect(page.locator(".editing-head")).to_be_visible()
        page.keyboard.press(key)
        expect(page.locator(".side-head")).to_have_count(2)

    assert fake.votes == {}


def test_differing_boxes_are_listed_and_hatched(serve: Serve, open_page: Open) -> None:
    """The list says in words what each side has alone; a press selects it on the side that has it."""
    fake = serve(schema=BOXES, media=picture(), cases=[case(1, [BOX, DOG], [BOX, BIRD], data=PICTURE)])
    page = opened(open_page, fake)

    expect(page.locator(".side canvas")).to_have_count(4)
    assert page.locator(".difference").all_inner_texts() == ["only B\nB\ncat\n90 × 90", "only A\nA\ndog\n150 × 120"]
    assert "Agreed: 1" in page.locator(".differences").inner_text()
    hatched, plain = (_colours(page, 0, box) for box in (DOG, BOX))
    assert hatched > 3 * plain


def _colours(page: Page, side: int, box: dict[str, Any]) -> int:
    """Pixels inside a box, on a side's lower canvas, that are not grey as the picture is."""
    return int(
        page.evaluate(
            """([side, box]) => {
              const canvas = document.querySelectorAll(".side")[side].querySelector("canvas");
              const ratio = devicePixelRatio;
              const [w, h] = [canvas.width / ratio, canvas.height / ratio];
              const scale = Math.min((w - 48) / 640, (h - 48) / 480);
              const left = w / 2 + (box.x - 320) * scale + 4, top = h / 2 + (box.y - 240) * scale + 4;
              const size = [box.width * scale - 8, box.height * scale - 8].map((one) => Math.floor(one * ratio));
              const { data } = canvas.getContext("2d").getImageData(left * ratio, top * ratio, ...size);
              let n = 0;
              for (let i = 0; i < data.length; i += 4) n += Math.abs(data[i] - data[i + 2]) > 30 ? 1 : 0;
              return n;
            }""",
            [side, box],
        )
    )


def test_merging_keeps_what_is_agreed_and_walks_through_the_rest(serve: Serve, open_page: Open) -> None:
    """M keeps the agreed box; Tab, a and x decide on the others; what is undecided is asked about once."""
    fake = serve(schema=BOXES, media=picture(), cases=[case(1, [BOX, DOG], [BOX, BIRD], data=PICTURE)])
    page = opened(open_page, fake)

    page.keyboard.press("m")
    expect(page.locator(".region-row")).to_have_count(3)
    page.keyboard.press("Tab")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="neither taken nor dropped")).to_be_attached()
    assert fake.votes == {}
    page.keyboard.press("x")
    page.keyboard.press("Enter")

    expect(page.locator(".empty")).to_be_visible()
    saved(page)
    assert fake.answers() == {"i1": [BOX, BIRD]}
    assert [fake.stored()[0][name] for name in ("verdict", "base")] == ["accepted", "model v7"]  # it is what B says


def test_attributes_are_compared_told_and_asked_for(serve: Serve, open_page: Open) -> None:
    """Boxes that differ in an attribute alone are a difference in words; without a needed one nothing is sent."""
    attribute = {"name": "view", "kind": "choice", "options": ["left", "right"], "classes": [], "required": True}
    schema = BOXES | {"attributes": [attribute]}
    a, b = [BOX | {"attributes": {"view": "left"}}], [BOX | {"attributes": {"view": "right"}}]
    fake = serve(schema=schema, media=picture(), cases=[case(1, a, b, data=PICTURE), case(2, [BOX], a, data=PICTURE)])
    page = opened(open_page, fake)

    (told,) = page.locator(".difference").all_inner_texts()
    page.keyboard.press("1")
    expect(page.locator(".case-place")).to_have_text("2 of 2")
    page.keyboard.press("e")
    expect(page.locator(".region-row")).to_have_count(1)
    page.keyboard.press("Enter")

    assert [line for line in told.split("\n") if "×" in line] == ["120 × 100 · left", "120 × 100 · right"]
    expect(page.get_by_role("status").filter(has_text="view")).to_be_attached()
    saved(page)
    assert fake.answers() == {"i1": a}


def test_both_sides_show_the_same_part_of_a_picture(serve: Serve, open_page: Open) -> None:
    """Zooming A by the wheel brings B along: both lower canvases show the same pixels."""
    fake = serve(schema=BOXES, media=picture(), cases=[case(1, [DOG], [BIRD], data=PICTURE)])
    page = opened(open_page, fake)
    page.locator(".side").first.locator(".shape-canvas").hover(position={"x": 100, "y": 200})
    fitted = _sight(page)

    page.mouse.wheel(0, -900)
    page.wait_for_timeout(120)

    zoomed = _sight(page)
    assert zoomed[0] == zoomed[1]
    assert zoomed[0] != fitted[0]


def _sight(page: Page) -> list[str]:
    """The column of greys in the middle of each side, as what is drawn of the picture."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll(".side")].map((side) => {
              const canvas = side.querySelector("canvas");
              const { data } = canvas.getContext("2d").getImageData(12, 0, 1, canvas.height);
              return data.filter((_, i) => i % 4 === 0).join();
            })"""
        )
    )


def test_long_texts_scroll_together(serve: Serve, open_page: Open) -> None:
    """Scrolling side A scrolls side B to the same place."""
    text = "\n".join(f"line {n}" for n in range(200))
    spans = [{"start": 0, "end": 4, "label": "person"}]
    schema = choice_schema("person", kind="span")
    page = opened(open_page, serve(schema=schema, cases=[case(1, spans, [], data={"text": text})]))

    page.locator(".span-text").first.evaluate("(element) => { element.scrollTop = 900; }")

    page.wait_for_function("() => document.querySelectorAll('.span-text')[1].scrollTop === 900")


def test_a_difference_leads_to_its_place(serve: Serve, open_page: Open) -> None:
    """Pressing a line of the list selects the span on the side that has it, and none on the other."""
    a = [{"start": 0, "end": 4, "label": "person"}, {"start": 10, "end": 14, "label": "person"}]
    schema = choice_schema("person", kind="span")
    page = opened(open_page, serve(schema=schema, cases=[case(1, a, a[:1], data={"text": "Anna met Bert here."})]))

    page.get_by_role("button", name="only A").click()

    expect(page.locator(".side.is-a .span-piece.is-selected")).to_have_text("ert ")
    expect(page.locator(".side.is-b .span-piece.is-selected")).to_have_count(0)
    expect(page.locator(".side.is-a .span-piece").nth(1)).to_have_css(
        "background-image", re.compile("135|-45|gradient")
    )


def test_recordings_differ_in_words_and_times(serve: Serve, open_page: Open) -> None:
    """Regions of sounds are compared by time and by what is said in them."""
    said = [{"label": "cat", "start": 1.0, "end": 2.5, "text": "meow"}]
    heard = [{"label": "cat", "start": 1.02, "end": 2.5, "text": "miaow"}]
    data = {"audio": "/media/sound.wav", "peaks": "/media/peaks.json", "duration": 8.0}
    schema = choice_schema("cat", kind="segment", modality="audio")
    page = opened(open_page, serve(schema=schema, media=recording(), cases=[case(1, said, heard, data=data)]))

    (told,) = page.locator(".difference").all_inner_texts()

    assert told.split("\n")[0] == "other details"
    assert "“meow”" in told
    assert "“miaow”" in told


def test_texts_are_compared_word_by_word(serve: Serve, open_page: Open) -> None:
    """Words that only one of two transcriptions has are marked in it."""
    schema = choice_schema(kind="text")
    page = opened(open_page, serve(schema=schema, cases=[case(1, "a quick fox", "a red fox jumps")]))

    marks = [page.locator(".side-card").nth(side).locator("mark").all_inner_texts() for side in (0, 1)]

    assert marks == [["quick"], ["red", "jumps"]]


@pytest.mark.parametrize(
    ("kind", "a", "b", "keys", "merged"),
    [
        ("multi_choice", ["bug", "praise"], ["billing", "bug"], ["Enter"], ["bug"]),
        ("multi_choice", ["bug", "praise"], ["billing", "bug"], ["1", "Enter"], ["billing", "bug"]),
        ("number", 2, 5, ["Enter"], 3.5),
        (
            "ranking",
            ["bug", "billing", "praise"],
            ["praise", "bug", "billing"],
            ["Enter"],
            ["bug", "billing", "praise"],
        ),
        ("rating", "bug", "praise", ["1"], "billing"),
    ],
)
def test_every_kind_of_answer_is_merged_or_edited(
    serve: Serve, open_page: Open, kind: str, a: Any, b: Any, keys: list[str], merged: Any
) -> None:
    """M starts from what both say; where that means nothing, from what leads."""
    fake = serve(schema=choice_schema(kind=kind), cases=[case(1, a, b)])
    page = opened(open_page, fake)

    page.keyboard.press("m")
    expect(page.locator(".editing-head")).to_be_visible()
    for key in keys:
        page.keyboard.press(key)

    expect(page.locator(".empty")).to_be_visible()
    saved(page)
    assert fake.answers() == {"i1": merged}


def test_sending_back_asks_somebody_and_shows_where_it_stands(serve: Serve, open_page: Open) -> None:
    """R names the people of the lighter sides first; the case is passed over until they have answered."""
    cases = [case(1, "billing", "bug", "praise"), case(2, "billing", "bug")]
    fake = serve(cases=cases)
    page = opened(open_page, fake)

    page.keyboard.press("r")
    page.keyboard.type("look at the date")
    page.keyboard.press("Enter")
    expect(page.locator(".case-place")).to_have_text("2 of 2")
    page.keyboard.press("ArrowLeft")

    expect(page.locator(".case-bar .chip")).to_have_text("with bob")
    assert [(one["item"], one["annotator"], one["comment"]) for one in fake.sent_back] == [
        ("i1", "id-bob", "look at the date")
    ]
    fake.sent_back[0]["state"] = "answered"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".sent-back .chip")).to_have_text("answered")
    assert fake.votes == {}


def test_list_of_what_was_sent_back_leads_to_the_item(serve: Serve, open_page: Open) -> None:
    """Everything sent back stands in one list with its state, and opens from there."""
    told = {"item": "i3", "annotator": "id-bob", "name": "bob", "comment": "why?", "state": "open"}
    page = opened(open_page, serve(sent_back=[told]))

    page.get_by_role("button", name="Sent back").click()
    expect(page.locator(".send-backs")).to_contain_text("being answered")
    page.get_by_role("button", name="i3").click()

    expect(page.locator(".item-text")).to_contain_text("number 3")
    expect(page.locator(".sent-back")).to_contain_text("why?")


def test_more_than_two_sides_stand_in_a_list(serve: Serve, open_page: Open) -> None:
    """The third answer has its voices and share beside it and is taken by a press."""
    third = case(1, "billing", "bug", "praise")
    third["voices"].append(voice("eve", "praise", reliability=0.4))
    third["sides"][2]["voices"] = [2, 3]
    fake = serve(cases=[third])
    page = opened(open_page, fake)
    assert "bob" in page.locator(".other-side").inner_text()
    assert "eve" in page.locator(".other-side").inner_text()

    page.get_by_role("button", name="Take this").click()

    saved(page)
    assert fake.answers() == {"i1": "praise"}


def test_comments_are_kept_beside_the_answer(serve: Serve, open_page: Open) -> None:
    """C says something about the item; the case stays."""
    fake = serve()
    page = opened(open_page, fake)

    page.keyboard.press("c")
    page.keyboard.type("both are right")
    page.keyboard.press("Enter")

    saved(page)
    assert [(vote["item"], vote["reason"]) for vote in fake.stored("comment")] == [("i1", "both are right")]
    assert place(page) == "1 of 5"


def test_everything_is_reached_without_a_pointer(serve: Serve, open_page: Open) -> None:
    """Tab comes to each difference, Enter selects it, and keys act again at once; nothing holds the focus."""
    a = [{"start": 0, "end": 4, "label": "person"}, {"start": 10, "end": 14, "label": "person"}]
    cases = [case(1, a, a[:1], data={"text": "Anna met Bert here."}), case(2, a, [], data={"text": "Anna met Bert."})]
    fake = serve(schema=choice_schema("person", kind="span"), cases=cases)
    page = opened(open_page, fake)

    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.classList.contains('difference')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator(".side.is-a .span-piece.is-selected")).to_have_count(1)
    page.keyboard.press("2")

    saved(page)
    assert fake.answers() == {"i1": a[:1]}


def test_reviews_survive_a_lost_network(serve: Serve, open_page: Open, context: BrowserContext) -> None:
    """Decisions made offline are kept over a reload of any page and arrive once."""
    fake = serve()
    page = opened(open_page, fake)
    context.set_offline(True)
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(page.locator(".saved")).to_contain_text("2 kept here")
    page.close()

    context.set_offline(False)
    again = open_page(fake.label_page)

    saved(again)
    assert fake.answers() == {"i1": "billing", "i2": "bug"}
    assert len(fake.votes) == 2


def test_an_item_named_in_the_address_comes_first(serve: Serve, open_page: Open) -> None:
    """`?item=` shows that item before all others."""
    page = open_page(f"{serve().page_of('review')}?item=i4")

    expect(page.locator(".item-text")).to_contain_text("number 4")
    expect(page.locator(".case-place")).to_have_text("1 of 5")


def test_own_keys_hold_here_too(serve: Serve, open_page: Open) -> None:
    """A key that a person gave to an act does it, and stands on its button."""
    fake = serve(keys={"take_b": "w"})
    page = opened(open_page, fake)

    page.keyboard.press("w")

    saved(page)
    assert fake.answers() == {"i1": "bug"}
    expect(page.locator(".bottom-bar")).to_contain_text("W")


def test_nothing_differs(serve: Serve, open_page: Open) -> None:
    """Without a case the page says so; annotators are told that it is not for them."""
    page = open_page(serve(cases=[]).page_of("review"))
    expect(page.locator(".empty")).to_contain_text("Nothing differs")

    other = open_page(serve(role="annotator").page_of("review"))

    expect(other.locator(".notice")).to_contain_text("leads")
