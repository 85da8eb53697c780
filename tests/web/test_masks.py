"""People who paint on images, against a server that speaks the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, expect
from tests.web.fake_server import FakeServer, choice_schema, suggestion
from tests.web.media import image_task, picture
from tests.web.test_attributes import attribute
from tests.web.test_shapes import Canvas, answer

from labelmill.domain.rle import decode, encode

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]
Pixels = npt.NDArray[np.bool_]

ROWS, COLUMNS = np.mgrid[:480, :640]


def rectangle(label: str, left: int, top: int, right: int, bottom: int) -> dict[str, Any]:
    """A mask of some pixels of the picture."""
    return {"label": label, **encode((left <= COLUMNS) & (right > COLUMNS) & (top <= ROWS) & (bottom > ROWS))}


def by_label(value: list[dict[str, Any]]) -> dict[str, Pixels]:
    """The pixels of each class, of an answer with one mask of each."""
    assert len({mask["label"] for mask in value}) == len(value)
    return {mask["label"]: decode(mask) for mask in value}


def differ(expected: npt.ArrayLike, found: Pixels) -> float:
    """Share of the pixels of either that are not in both: the pointer is exact to a pixel."""
    wanted = np.asarray(expected, dtype=np.bool_)
    return float((wanted ^ found).sum() / (wanted | found).sum())


def along(x1: float, y1: float, x2: float, y2: float, diameter: float) -> Pixels:
    """The way of a round brush."""
    length = (x2 - x1) ** 2 + (y2 - y1) ** 2
    t = np.clip(((COLUMNS + 0.5 - x1) * (x2 - x1) + (ROWS + 0.5 - y1) * (y2 - y1)) / max(length, 1e-9), 0, 1)
    return np.asarray(np.hypot(COLUMNS + 0.5 - x1 - t * (x2 - x1), ROWS + 0.5 - y1 - t * (y2 - y1)) <= diameter / 2)


@pytest.fixture
def paint(serve: Serve, open_page: Open) -> Callable[..., tuple[FakeServer, Page, Canvas]]:
    """Opens the labelling page for masks with a brush of 40 pixels; the first of two items has the suggestions."""

    def start(**changes: Any) -> tuple[FakeServer, Page, Canvas]:
        schema = choice_schema("sky", "sea", kind="mask", modality="image")
        fake = serve(schema=schema, media=picture(), tasks=[image_task(1, **changes), image_task(2)])
        page = open_page(fake.label_page)
        canvas = Canvas(page)
        page.get_by_label("Size").fill("40")
        page.locator(".stage").focus()
        return fake, page, canvas

    return start


def test_masks_are_painted_erased_and_sent(paint: Callable[..., Any]) -> None:
    """A stroke of each of two classes; the second takes pixels of the first; the eraser takes from both."""
    fake, page, canvas = paint()

    canvas.drag((100, 100), (300, 100))
    page.keyboard.press("2")
    canvas.drag((200, 60), (200, 300))
    page.keyboard.press("e")
    canvas.drag((200, 200), (201, 200))

    masks = by_label(answer(fake, page))
    sea = along(200, 60, 200, 300, 40) & ~along(200, 200, 201, 200, 40)
    sky = along(100, 100, 300, 100, 40) & ~along(200, 60, 200, 300, 40)
    assert differ(sea, masks["sea"]) < 0.05
    assert differ(sky, masks["sky"]) < 0.05


def test_an_outline_is_filled_and_a_hole_in_it(paint: Callable[..., Any]) -> None:
    """Corners by clicks, undo takes one back, Enter closes; a hole is rubbed into it and filled with another class."""
    fake, page, canvas = paint()

    page.keyboard.press("p")
    canvas.click((100, 100), (400, 100), (600, 400))
    page.keyboard.press("u")
    canvas.click((400, 300), (100, 300))
    page.keyboard.press("Enter")
    expect(page.locator(".region-row")).to_have_count(1)
    page.keyboard.press("e")
    canvas.drag((250, 200), (251, 200))
    page.keyboard.press("l")
    page.keyboard.press("2")
    canvas.click((250, 200))

    masks = by_label(answer(fake, page))
    hole = along(250, 200, 251, 200, 40)
    whole = (COLUMNS >= 100) & (COLUMNS < 400) & (ROWS >= 100) & (ROWS < 300)
    assert differ(hole, masks["sea"]) < 0.15
    assert differ(whole & ~hole, masks["sky"]) < 0.03
    assert not (masks["sea"] & masks["sky"]).any()


def test_undo_goes_stroke_by_stroke(paint: Callable[..., Any]) -> None:
    """Each stroke is a step back and forth, whatever number of masks it changed."""
    fake, page, canvas = paint()
    words = page.locator(".region-words")

    canvas.drag((100, 100), (300, 100))
    first = words.first.inner_text()
    page.keyboard.press("2")
    canvas.drag((200, 60), (200, 140))
    expect(words).to_have_count(2)
    page.keyboard.press("u")
    expect(words).to_have_count(1)
    assert words.first.inner_text() == first
    page.keyboard.press("u")
    expect(words).to_have_count(0)
    page.keyboard.press("Shift+u")
    page.keyboard.press("Shift+u")
    expect(words).to_have_count(2)

    assert sorted(by_label(answer(fake, page))) == ["sea", "sky"]


def test_suggested_masks_are_accepted_dropped_and_edited(paint: Callable[..., Any]) -> None:
    """One is accepted, one dropped, at one the eraser rubs: the vote says edited, and from which suggestion."""
    masks = [
        rectangle("sky", 20, 20, 220, 120),
        rectangle("sea", 20, 300, 220, 400),
        rectangle("sea", 300, 20, 500, 120),
    ]
    fake, page, canvas = paint(suggestions=[suggestion(masks)])
    expect(page.locator(".region-row.is-suggested")).to_have_count(3)

    page.keyboard.press("Tab")
    page.keyboard.press("a")
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    canvas.drag((300, 70), (500, 70))

    found = by_label(answer(fake, page))
    np.testing.assert_array_equal(decode(masks[0]), found["sky"])
    assert differ(decode(masks[2]) & ~along(300, 70, 500, 70, 40), found["sea"]) < 0.03
    [vote] = fake.stored()
    assert (vote["verdict"], vote["base"]) == ("edited", "s-model v7-0.83")


def test_enter_accepts_all_that_is_suggested(paint: Callable[..., Any]) -> None:
    """One key takes the suggestion as it is, without the scores of its author."""
    masks = [rectangle("sky", 20, 20, 220, 120), rectangle("sea", 300, 20, 500, 120)]
    fake, page, _ = paint(suggestions=[suggestion([masks[0] | {"score": 0.7}, masks[1]])])
    expect(page.locator(".region-row.is-suggested")).to_have_count(2)

    assert masks == answer(fake, page)
    assert [vote["verdict"] for vote in fake.stored()] == ["accepted"]


def test_own_paint_goes_before_a_suggestion(paint: Callable[..., Any]) -> None:
    """What is painted across a suggestion keeps its pixels when the rest of it is accepted: no pixel is sent twice."""
    below = rectangle("sky", 20, 20, 220, 220)
    fake, page, canvas = paint(suggestions=[suggestion([below])])

    page.keyboard.press("2")
    canvas.drag((20, 120), (300, 120))

    masks = by_label(answer(fake, page))
    sea = along(20, 120, 300, 120, 40)
    assert differ(sea, masks["sea"]) < 0.04
    assert differ(decode(below) & ~sea, masks["sky"]) < 0.03
    assert not (masks["sea"] & masks["sky"]).any()


def test_every_key_of_painting(paint: Callable[..., Any]) -> None:
    """Without a pointer: a smaller and a larger brush, the cursor moved by each arrow, the pen put down and lifted."""
    fake, page, _ = paint()
    for key in ("v", "m", "[", "]", "[", *["["] * 20):
        page.keyboard.press(key)
    expect(page.locator(".mask-slider-value").first).to_have_text("1")

    page.keyboard.press("Space")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".said")).to_contain_text("Space lifts")
    page.keyboard.press("Space")
    for key in (
        "Shift+ArrowLeft",
        "Shift+ArrowDown",
        "Shift+ArrowUp",
        "+",
        "-",
        "z",
        "Shift+ArrowDown",
        "Space",
        "Space",
    ):
        page.keyboard.press(key)

    [mask] = answer(fake, page)
    y, x = np.nonzero(decode(mask))
    top, left = int(y.min()), int(x.min())
    expected = {(0, 0), (0, 1), (0, 2), (1, 1), (2, 1), (11, 1), *((1, 1 + k) for k in range(11))}
    assert expected == {(int(a) - top, int(b) - left) for a, b in zip(y, x, strict=True)}


def test_another_mask_of_the_class_and_another_class_for_it(paint: Callable[..., Any]) -> None:
    """`n` begins a second object of the class; its class can be changed beside the list."""
    fake, page, canvas = paint()
    canvas.drag((100, 100), (200, 100))
    page.keyboard.press("n")
    canvas.drag((100, 300), (200, 300))
    expect(page.locator(".region-row")).to_have_count(2)
    page.get_by_label("Class of this mask").select_option("sea")
    page.locator(".stage").focus()

    assert [mask["label"] for mask in answer(fake, page)] in (["sky", "sea"], ["sea", "sky"])


def test_a_draft_of_masks_survives_reload(paint: Callable[..., Any]) -> None:
    """What was painted and not yet sent is there after the page was loaded again, and can be erased."""
    fake, page, canvas = paint()
    canvas.drag((100, 100), (300, 100))
    expect(page.locator(".region-row")).to_have_count(1)
    page.wait_for_timeout(500)

    page.reload()
    expect(page.locator(".region-row")).to_have_count(1)
    page.keyboard.press("e")
    canvas.drag((200, 100), (201, 100))

    [mask] = answer(fake, page)
    pixels = decode(mask)
    assert pixels[100, 110]
    assert not pixels[100, 200]


def test_attributes_outlive_strokes(serve: Serve, open_page: Open) -> None:
    """What is said of a mask beside its class stays when it is painted on, and goes out with it."""
    dusk = attribute("dusk", "yes_no")
    schema = choice_schema("sky", "sea", kind="mask", modality="image", attributes=[dusk])
    fake = serve(schema=schema, media=picture(), tasks=[image_task(1), image_task(2)])
    page = open_page(fake.label_page)
    canvas = Canvas(page)

    canvas.drag((100, 100), (300, 100))
    page.get_by_role("radio", name="yes").click()
    canvas.drag((100, 200), (300, 200))
    page.locator(".stage").focus()

    [mask] = answer(fake, page)
    assert mask["attributes"] == {"dusk": True}
    assert decode(mask)[[100, 200], [200, 200]].all()
