"""People who draw on images, against a server that speaks the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.web.fake_server import FakeServer, choice_schema, suggestion
from tests.web.kinds import canonical_answer
from tests.web.media import image_task, picture

Open = Callable[[str], Page]
Serve = Callable[..., FakeServer]

CAR = {"label": "car", "x": 100.0, "y": 100.0, "width": 200.0, "height": 120.0}
DOG = {"label": "dog", "x": 300.0, "y": 300.0, "width": 80.0, "height": 60.0}


class Canvas:
    """The image on the screen: places in its pixels become places of the page."""

    def __init__(self, page: Page, *, width: int = 640, height: int = 480) -> None:
        self.page = page
        page.locator(".shape-canvas canvas").first.wait_for()
        box = page.locator(".shape-canvas").bounding_box()
        assert box is not None
        self.scale = min((box["width"] - 48) / width, (box["height"] - 48) / height)
        self.left = box["x"] + (box["width"] - width * self.scale) / 2
        self.top = box["y"] + (box["height"] - height * self.scale) / 2

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the image is on the page."""
        return self.left + x * self.scale, self.top + y * self.scale

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drags from one pixel of the image to another."""
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=3)
        self.page.mouse.up()

    def click(self, *places: tuple[float, float]) -> None:
        """Clicks on pixels of the image."""
        for place in places:
            self.page.mouse.click(*self.place(*place))


@pytest.fixture
def draw(serve: Serve, open_page: Open) -> Callable[..., tuple[FakeServer, Page, Canvas]]:
    """Opens the labelling page of a kind of shape; the first of two items has the suggestions."""

    def start(kind: str, **changes: Any) -> tuple[FakeServer, Page, Canvas]:
        schema = choice_schema("car", "dog", kind=kind, modality="image")
        fake = serve(schema=schema, media=picture(), tasks=[image_task(1, **changes), image_task(2)])
        page = open_page(fake.label_page)
        return fake, page, Canvas(page)

    return start


def answer(fake: FakeServer, page: Page) -> Any:
    """Sends with Enter and gives what the server then holds for the first item."""
    page.keyboard.press("Enter")
    expect(page.locator(".saved")).to_have_text("all saved")
    expect(page.locator(".region-row")).to_have_count(0)
    return canonical_answer(fake)


def near(expected: Any, found: Any) -> bool:
    """Whether two values agree within a pixel."""
    if isinstance(expected, float | int):
        return abs(expected - float(found)) <= 1
    if isinstance(expected, dict):
        return sorted(expected) == sorted(found) and all(near(expected[key], found[key]) for key in expected)
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(near, expected, found))
    return bool(expected == found)


def test_boxes_are_drawn_resized_nudged_and_sent(draw: Callable[..., Any]) -> None:
    """Two boxes of two classes; one is pulled larger, nudged and made wider by keys."""
    fake, page, canvas = draw("box")

    canvas.drag((100, 100), (250, 200))
    canvas.drag((250, 200), (300, 220))
    page.keyboard.press("2")
    canvas.drag((300, 300), (380, 360))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+ArrowRight")

    dog = DOG | {"x": 301.0, "y": 310.0, "width": 81.0}
    found = answer(fake, page)
    # The class key relabelled the selected first box and stayed in hand for the second.
    assert near([CAR | {"label": "dog"}, dog], found)


def test_a_box_needs_no_drag(draw: Callable[..., Any]) -> None:
    """Two clicks are two corners; a click takes a corner, the next puts it down; the middle is a key away."""
    fake, page, canvas = draw("box")

    canvas.click((100, 100), (250, 200))
    canvas.click((250, 200), (300, 220))
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.get_by_label("Left").fill("300")
    page.get_by_label("Left").press("Enter")

    found = answer_after_leaving_field(fake, page)
    assert near(CAR, found[0])
    assert found[1]["x"] == 300


def answer_after_leaving_field(fake: FakeServer, page: Page) -> Any:
    """Puts the focus back to the work and sends."""
    page.locator(".stage").focus()
    return answer(fake, page)


def test_undo_and_redo_walk_over_shapes(draw: Callable[..., Any]) -> None:
    """Deleted, moved and drawn shapes are taken back one by one, and done again."""
    fake, page, canvas = draw("box")
    rows = page.locator(".region-row")

    canvas.drag((100, 100), (300, 220))
    canvas.drag((300, 300), (380, 360))
    page.keyboard.press("Delete")
    expect(rows).to_have_count(1)
    page.keyboard.press("u")
    expect(rows).to_have_count(2)
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(rows).to_have_count(0)
    page.keyboard.press("Shift+u")
    expect(rows).to_have_count(1)

    assert near([CAR], answer(fake, page))


def test_every_key_that_moves_or_shapes_a_box(draw: Callable[..., Any]) -> None:
    """Each key is pressed a number of times of its own, so the box tells which did what; zooming does nothing."""
    fake, page, canvas = draw("box")
    canvas.drag((100, 100), (300, 220))
    presses = {
        "ArrowLeft": 1,
        "ArrowRight": 3,
        "ArrowUp": 2,
        "ArrowDown": 7,
        "Shift+ArrowLeft": 1,
        "Shift+ArrowRight": 3,
        "Shift+ArrowUp": 1,
        "Shift+ArrowDown": 6,
        "Control+ArrowLeft": 1,
        "Control+ArrowRight": 5,
        "Control+ArrowUp": 6,
        "Control+ArrowDown": 4,
        "+": 3,
        "-": 1,
        "z": 1,
        "v": 1,
        "b": 1,
    }

    for key, times in presses.items():
        for _ in range(times):
            page.keyboard.press(key)

    assert near([CAR | {"x": 122.0, "y": 155.0, "width": 204.0, "height": 118.0}], answer(fake, page))


def test_a_turned_box(draw: Callable[..., Any]) -> None:
    """Keys turn a box in steps of five degrees; two hundred degrees are twenty."""
    fake, page, canvas = draw("box")
    canvas.drag((100, 100), (300, 220))

    for key in [">"] * 40 + ["<"] * 3 + [">"] * 3:
        page.keyboard.press(key)

    assert near([CAR | {"rotation": 20.0}], answer(fake, page))


def test_a_polygon_is_drawn_and_bent(draw: Callable[..., Any]) -> None:
    """Clicks set corners, undo takes the last back, Enter closes; a middle becomes a corner, keys walk and move."""
    fake, page, canvas = draw("polygon")

    canvas.click((100, 100), (300, 100), (500, 400))
    page.keyboard.press("u")
    canvas.click((300, 300), (100, 300))
    page.keyboard.press("Enter")
    expect(page.locator(".region-row")).to_have_count(1)
    page.keyboard.press("v")
    canvas.drag((200, 100), (200, 60))
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")

    points = [[100, 100], [200, 60], [310, 100], [300, 300], [100, 300]]
    assert near([{"label": "car", "points": points}], answer(fake, page))


def test_points(draw: Callable[..., Any]) -> None:
    """A click is a point; arrows move it by a pixel."""
    fake, page, canvas = draw("point")

    canvas.click((100, 100), (200, 200))
    page.keyboard.press("ArrowLeft")

    assert near(
        [{"label": "car", "x": 100.0, "y": 100.0}, {"label": "car", "x": 199.0, "y": 200.0}], answer(fake, page)
    )


def test_zoomed_in_pixels_are_those_of_the_original(draw: Callable[..., Any]) -> None:
    """After zooming at the pointer, what is drawn has the places of the original image."""
    fake, page, canvas = draw("box")
    page.mouse.move(*canvas.place(100, 100))
    page.mouse.wheel(0, -600)
    page.wait_for_timeout(100)
    factor = 2.718281828 ** (600 * 0.0015)

    x, y = canvas.place(100, 100)
    page.mouse.down()
    page.mouse.move(x + 100 * canvas.scale * factor, y + 50 * canvas.scale * factor, steps=3)
    page.mouse.up()

    assert near([CAR | {"width": 100.0, "height": 50.0}], answer(fake, page))


def test_suggested_boxes_are_accepted_dropped_and_edited(draw: Callable[..., Any]) -> None:
    """Tab walks over suggested boxes; one is accepted, one dropped, one moved: the vote says edited."""
    third = DOG | {"x": 500.0}
    fake, page, _ = draw("box", suggestions=[suggestion([CAR, DOG, third])])
    expect(page.locator(".region-row.is-suggested")).to_have_count(3)

    page.keyboard.press("Tab")
    page.keyboard.press("a")
    page.keyboard.press("x")
    page.keyboard.press("ArrowUp")

    assert [CAR, third | {"y": 299.0}] == answer(fake, page)
    [vote] = fake.stored()
    assert (vote["verdict"], vote["base"]) == ("edited", "s-model v7-0.83")


def test_enter_accepts_all_that_is_suggested(draw: Callable[..., Any]) -> None:
    """One key takes the suggestion as it is; the scores of a detector are not the person's."""
    fake, page, _ = draw("box", suggestions=[suggestion([CAR | {"score": 0.9}, DOG])])
    expect(page.locator(".region-row.is-suggested")).to_have_count(2)

    assert [CAR, DOG] == answer(fake, page)
    assert [vote["verdict"] for vote in fake.stored()] == ["accepted"]


def test_nothing_here_takes_two_keys(draw: Callable[..., Any]) -> None:
    """An image without objects is an answer of its own, which one slip does not give."""
    fake, page, _ = draw("box")
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text("Nothing is marked")
    assert fake.stored() == []

    assert answer(fake, page) == []


def test_a_draft_of_shapes_survives_reload(draw: Callable[..., Any]) -> None:
    """What was drawn and not yet sent is there after the page was loaded again."""
    fake, page, canvas = draw("box")
    canvas.drag((100, 100), (300, 220))
    expect(page.locator(".region-row")).to_have_count(1)
    page.wait_for_timeout(500)

    page.reload()
    expect(page.locator(".region-row")).to_have_count(1)

    assert near([CAR], answer(fake, page))
