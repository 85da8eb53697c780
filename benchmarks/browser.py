"""The labelling page: key press to next item painted, near and far from the server; JavaScript; heap over 300 items.

    python -m benchmarks.browser

Chromium, headless, software raster. A press is measured inside the page: from the key event's own time stamp to the
first task after the frame that shows the next item, which is when the browser has handed that frame to be painted.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import statistics
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.web.app_build import load_build_app  # noqa: E402 -- found by the line above
from tests.web.fake_server import FakeServer, choice_schema, task  # noqa: E402 -- found by the line above

N_PRESSES = 100
N_ITEMS = 300
FAR_SECONDS = 0.15

Task = dict[str, Any]
Media = dict[str, tuple[str, bytes]]

MEASURE_PRESSES = """
window.presses = [];
document.addEventListener("keydown", (event) => {
  const shown = () => {
    const item = document.querySelector(".item-text, .item-image");
    return item?.src ?? item?.textContent;
  };
  const before = shown();
  const look = () => requestAnimationFrame(() => {
    if (shown() === before) return look();
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.presses.push(performance.now() - event.timeStamp);
    channel.port2.postMessage(null);
  });
  look();
}, {capture: true});
"""


def report() -> str:
    """The figures as Markdown."""
    build_app = load_build_app()
    build_app.install_packages()
    if not build_app.is_current():
        build_app.build()
    static: Path = build_app.static_folder()
    load = os.getloadavg()[0]
    lines = [
        f"Load of the machine by others: {load:.0f}. It lengthens what the clock says, not the page's CPU.",
        "",
    ]
    lines += [
        "| key press to next item painted | median | 95th percentile | CPU of the page, mean |",
        "|---|---|---|---|",
    ]
    for what, tasks, media in (("texts", _texts(N_PRESSES + 20), {}), ("pictures of 1280 x 960", *_pictures())):
        for name, latency in (("server at hand", 0.0), (f"server {FAR_SECONDS * 1000:.0f} ms away", FAR_SECONDS)):
            presses, cpu = _presses(static, latency, tasks, media)
            median, p95 = statistics.median(presses), sorted(presses)[int(0.95 * len(presses))]
            lines.append(f"| {name}, {len(presses)} {what} | {median:.1f} ms | {p95:.1f} ms | {cpu:.1f} ms |")
    lines += ["", "| page | JavaScript at once, gzip |", "|---|---|"]
    lines += [f"| {page} | {size / 1000:.1f} kB |" for page, size in sorted(_sizes(static).items())]
    before, after, nodes = _growth(static)
    grown = f"{before / 1e6:.2f} MB before, {after / 1e6:.2f} MB after; {nodes:+d} DOM nodes"
    lines += ["", f"Heap over {N_ITEMS} items, after collecting garbage: {grown}."]
    return "\n".join(lines)


@contextmanager
def _labelling(static: Path, latency: float, tasks: list[Task], media: Media) -> Iterator[Page]:
    schema = choice_schema(modality="image" if media else "text")
    fake = FakeServer(static, schema=schema, tasks=tasks, media=media, latency=latency)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--js-flags=--expose-gc", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page()
        page.add_init_script(MEASURE_PRESSES)
        page.goto(fake.label_page)
        page.wait_for_selector(".item-text, .item-image")
        yield page
        browser.close()
    fake.stop()


def _texts(n_tasks: int) -> list[Task]:
    return [task(number) for number in range(n_tasks)]


def _pictures() -> tuple[list[Task], Media]:
    """Pictures that differ, each with its own address."""
    names = [f"/media/{number}.png" for number in range(N_PRESSES + 20)]
    tasks = [task(n, data={"image": name, "width": 1280, "height": 960}) for n, name in enumerate(names)]
    return tasks, {name: ("image/png", _picture(number)) for number, name in enumerate(names)}


def _picture(seed: int) -> bytes:
    """A PNG of 1280 x 960 with a gradient in every line: as large as a photograph once decoded."""
    line = bytes((x * 3 + seed * 40 + shade) % 256 for x in range(1280) for shade in (0, 80, 160))
    rows = b"".join(b"\0" + line[3 * (y % 200) :] + line[: 3 * (y % 200)] for y in range(960))
    header = struct.pack(">IIBBBBB", 1280, 960, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _presses(static: Path, latency: float, tasks: list[Task], media: Media) -> tuple[list[float], float]:
    """Milliseconds of each press by the clock, and the main thread's CPU for each on average, sending included."""
    with _labelling(static, latency, tasks, media) as page:
        page.wait_for_timeout(1000)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _cpu(session)
        for number in range(N_PRESSES):
            page.keyboard.press(str(1 + number % 3))
            page.wait_for_function("(n) => window.presses.length === n", arg=number + 1)
            # A person needs longer than this; without a pause it would be the server that is measured.
            page.wait_for_timeout(120)
        presses: list[float] = page.evaluate("() => window.presses")
        cpu = 1000 * (_cpu(session) - before) / len(presses)
    return presses, cpu


def _cpu(session: CDPSession) -> float:
    """Seconds that the page's main thread has computed."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def _growth(static: Path) -> tuple[int, int, int]:
    with _labelling(static, 0.0, _texts(N_ITEMS + 40), {}) as page:
        for _ in range(20):
            _label(page)
        before, nodes_before = _heap(page)
        for _ in range(N_ITEMS):
            _label(page)
        after, nodes_after = _heap(page)
    return before, after, nodes_after - nodes_before


def _label(page: Page) -> None:
    shown = page.locator(".item-text").text_content()
    page.keyboard.press("1")
    page.wait_for_function("(text) => document.querySelector('.item-text')?.textContent !== text", arg=shown)


def _heap(page: Page) -> tuple[int, int]:
    page.wait_for_timeout(500)
    measured: list[int] = page.evaluate(
        "() => { gc(); return [performance.memory.usedJSHeapSize, document.querySelectorAll('*').length]; }"
    )
    return measured[0], measured[1]


def _sizes(static: Path) -> dict[str, int]:
    """Packed JavaScript that each page's shell asks for; the widget of a project follows with its data."""
    pages = json.loads((static / "pages.json").read_text(encoding="utf-8"))
    folder = static / pages["folder"]
    packed = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in folder.glob("*.js")}
    sizes = {}
    for page in set(pages["pages"].values()):
        shell = (static / "pages" / f"{page}.html").read_text(encoding="utf-8")
        sizes[page] = sum(size for name, size in packed.items() if f"/{name}" in shell)
    return sizes


if __name__ == "__main__":
    print(report())
