"""Shapes, spans and sounds in the browser: frames while dragging one of thousands, one more span, an hour of audio.

    python -m benchmarks.browser_engines

Chromium, headless, software raster, against the server of the browser tests. Frame rates are those of a hand that moves
in every frame; work is CPU time of the main thread, which other load on the machine stretches less than frames.
"""

from __future__ import annotations

import random
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.web.app_build import load_build_app  # noqa: E402 -- found by the line above
from tests.web.fake_server import FakeServer, choice_schema, task  # noqa: E402
from tests.web.media import audio_task, image_task, picture, recording  # noqa: E402

WIDTH, HEIGHT = 1920, 1080
MOVES = 120
REPEATS = 3
N_SPANS = 2000

DRAG = """async ([x, y, moves]) => {
  const canvas = document.querySelectorAll(".shape-canvas canvas")[1];
  const box = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => undefined;
  const send = (name, by) => canvas.dispatchEvent(new PointerEvent(name, {
    pointerId: 1, button: 0, buttons: 1, clientX: box.left + x + by, clientY: box.top + y + by / 2, bubbles: true}));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  send("pointerdown", 0);
  const times = [];
  for (let i = 0; i < moves; i++) {
    send("pointermove", 5 + i);
    times.push(await frame());
  }
  send("pointerup", 5 + moves);
  return times;
}"""

ADD_SPAN = """async () => {
  const started = performance.now();
  document.querySelector(".stage").dispatchEvent(new KeyboardEvent("keydown", {key: "1", bubbles: true}));
  await new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(null);
  }));
  return performance.now() - started;
}"""

HEARD = """async () => {
  const hasPaint = (share) => {
    const canvas = document.querySelector(".audio-track canvas");
    const {width, height} = canvas ?? {};
    if (!width) return false;
    const {data} = canvas.getContext("2d").getImageData(width / 3, height * share, 20, 20);
    return data.some((byte) => byte > 0);
  };
  while (!hasPaint(0.2) || !hasPaint(0.6)) await new Promise((done) => requestAnimationFrame(done));
  return performance.now();
}"""


def report() -> str:
    """The figures as Markdown."""
    build_app = load_build_app()
    build_app.install_packages()
    if not build_app.is_current():
        build_app.build()
    lines = ["| dragging one of so many boxes | frames a second | main thread a move |", "|---|---|---|"]
    for n in (500, 5000):
        frames, busy = zip(*(drag(n) for _ in range(REPEATS)), strict=True)
        lines.append(f"| {n:,} | {statistics.median(frames):.0f} | {statistics.median(busy):.1f} ms |")
    spans, work = (statistics.median(each) for each in zip(*(add_span() for _ in range(REPEATS)), strict=True))
    hour = statistics.median(hear_an_hour() for _ in range(REPEATS))
    return "\n".join(
        [
            *lines,
            "",
            f"Among {N_SPANS:,} spans in 60,000 characters, key press to one more painted: {spans:.0f} ms, "
            f"of which the main thread works {work:.0f} ms.",
            "",
            f"One hour of audio with tiles at the server, address to waveform and spectrogram painted: {hour:.0f} ms.",
        ]
    )


def drag(n: int) -> tuple[float, float]:
    """Frames a second, and milliseconds of the main thread for each move, with so many boxes."""
    rng = random.Random(n)
    boxes = [
        {"label": "a", "x": rng.uniform(0, WIDTH - 60), "y": rng.uniform(0, HEIGHT - 60), "width": 40.0, "height": 30.0}
        for _ in range(n - 1)
    ]
    smallest = {"label": "b", "x": 900.0, "y": 500.0, "width": 9.0, "height": 9.0}
    schema = choice_schema("a", "b", kind="box", modality="image")
    tasks = [image_task(1, width=WIDTH, height=HEIGHT, draft=[*boxes, smallest])]
    with labelling(schema=schema, media=picture(WIDTH, HEIGHT), tasks=tasks) as page:
        page.locator(".region-row").first.wait_for()
        page.keyboard.press("v")
        page.wait_for_timeout(500)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _busy(session)
        times = page.evaluate(DRAG, [*_on_screen(page, 904.5, 504.5), MOVES])
        work = (_busy(session) - before) / MOVES
    return 1000 * (len(times) - 1) / (times[-1] - times[0]), 1000 * work


def add_span() -> tuple[float, float]:
    """Milliseconds from the key that names marked text to its painted span in a full text, and of the main thread."""
    text = ("word " * 59 + "end.\n") * 200
    starts = (300 * (k // 10) + 25 * (k % 10) + 30 for k in range(N_SPANS))
    spans = [{"start": start, "end": start + 19, "label": "a"} for start in starts]
    schema = choice_schema("a", "b", kind="span")
    with labelling(schema=schema, tasks=[task(1, data={"text": text}, draft=spans)]) as page:
        page.locator(".region-row").first.wait_for()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        page.wait_for_timeout(500)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _busy(session)
        spent: float = page.evaluate(ADD_SPAN)
        work = _busy(session) - before
    return spent, 1000 * work


def hear_an_hour() -> float:
    """Milliseconds from the address to the first pictures of an hour's recording."""
    schema = choice_schema("a", "b", kind="segment", modality="audio")
    with labelling(schema=schema, tasks=[audio_task(1, seconds=3600.0)], media=recording(3600.0, heard=2.0)) as page:
        spent: float = page.evaluate(HEARD)
    return spent


@contextmanager
def labelling(**contents: Any) -> Iterator[Page]:
    """A labelling page with these contents."""
    fake = FakeServer(ROOT / "src" / "labelmill" / "server" / "static", **contents)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(fake.label_page)
        yield page
        browser.close()
    fake.stop()


def _busy(session: Any) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _on_screen(page: Page, x: float, y: float) -> list[float]:
    box = page.locator(".shape-canvas").bounding_box() or {"width": 1.0, "height": 1.0}
    scale = min((box["width"] - 48) / WIDTH, (box["height"] - 48) / HEIGHT)
    return [(box["width"] - WIDTH * scale) / 2 + x * scale, (box["height"] - HEIGHT * scale) / 2 + y * scale]


if __name__ == "__main__":
    print(report())
