"""The labelling page: key press to next item painted, near and far from the server; JavaScript; heap over 300 items.

    python -m benchmarks.browser

Chromium, headless, software raster. A press is measured inside the page: from the key event's own time stamp to the
first task after the frame that shows the next item, which is when the browser has handed that frame to be painted.
"""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.web.app_build import load_build_app  # noqa: E402 -- found by the line above
from tests.web.fake_server import FakeServer, task  # noqa: E402 -- found by the line above

N_PRESSES = 100
N_ITEMS = 300
FAR_SECONDS = 0.15

MEASURE_PRESSES = """
window.presses = [];
document.addEventListener("keydown", (event) => {
  const shown = () => document.querySelector(".item-text")?.textContent;
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
    lines = ["| key press to next item painted | median | 95th percentile |", "|---|---|---|"]
    for name, latency in (("server at hand", 0.0), (f"server {FAR_SECONDS * 1000:.0f} ms away", FAR_SECONDS)):
        presses = sorted(_presses(static, latency))
        median, p95 = statistics.median(presses), presses[int(0.95 * len(presses))]
        lines.append(f"| {name}, {len(presses)} texts | {median:.1f} ms | {p95:.1f} ms |")
    lines += ["", "| page | JavaScript at once, gzip |", "|---|---|"]
    lines += [f"| {page} | {size / 1000:.1f} kB |" for page, size in sorted(_sizes(static).items())]
    before, after, nodes = _growth(static)
    grown = f"{before / 1e6:.2f} MB before, {after / 1e6:.2f} MB after; {nodes:+d} DOM nodes"
    lines += ["", f"Heap over {N_ITEMS} items, after collecting garbage: {grown}."]
    return "\n".join(lines)


@contextmanager
def _labelling(static: Path, latency: float, n_tasks: int) -> Iterator[Page]:
    fake = FakeServer(static, tasks=[task(number) for number in range(n_tasks)], latency=latency)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--js-flags=--expose-gc", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page()
        page.add_init_script(MEASURE_PRESSES)
        page.goto(fake.label_page)
        page.wait_for_selector(".item-text")
        yield page
        browser.close()
    fake.stop()


def _presses(static: Path, latency: float) -> list[float]:
    with _labelling(static, latency, N_PRESSES + 20) as page:
        page.wait_for_timeout(1000)
        for number in range(N_PRESSES):
            page.keyboard.press(str(1 + number % 3))
            page.wait_for_function("(n) => window.presses.length === n", arg=number + 1)
            # A person needs longer than this; without a pause it would be the server that is measured.
            page.wait_for_timeout(120)
        presses: list[float] = page.evaluate("() => window.presses")
    return presses


def _growth(static: Path) -> tuple[int, int, int]:
    with _labelling(static, 0.0, N_ITEMS + 40) as page:
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
