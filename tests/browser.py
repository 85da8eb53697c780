"""A browser and the built app for all tests: a page error or a breach of the policy fails any of them."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # every test run reads this file
    from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["browser", "build_app", "context", "keep_pictures", "open_page", "static", "watched_page"]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")

WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@pytest.fixture(scope="session")
def build_app() -> ModuleType:
    """The script that builds the app."""
    from tests.web.app_build import load_build_app

    return load_build_app()


@pytest.fixture(scope="session")
def static(build_app: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app built from these sources, once for all workers."""
    with (tmp_path_factory.getbasetemp().parent / "web-app.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_app.install_packages()
        if not build_app.is_current():
            build_app.build()
    folder: Path = build_app.static_folder()
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a worker."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=10_000)  # a ceiling, for machines that are busy with something else
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of one person; what is kept in it goes with the test."""
    with browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB") as context:
        yield context


@pytest.fixture
def open_page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Page]]:
    """Opens pages; any error on them, and any breach of the policy, fails the test."""
    faults: list[str] = []
    pages: list[Page] = []

    def open_at(address: str) -> Page:
        page = watched_page(context, faults)
        page.goto(address)
        pages.append(page)
        return page

    yield open_at
    keep_pictures(pages, request)
    assert faults == []


def watched_page(context: BrowserContext, faults: list[str]) -> Page:
    """An empty page; errors on whatever it will show, and breaches of the policy, are noted."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.add_init_script(WATCH_POLICY)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: _note(message.text, message.type, faults))
    return page


def keep_pictures(pages: list[Page], request: pytest.FixtureRequest) -> None:
    """Keep a picture of each page that is open, where `--screenshots` asks for it."""
    folder = request.config.getoption("--screenshots")
    for number, page in enumerate((page for page in pages if folder and not page.is_closed()), 1):
        name = re.sub(r"[^\w-]+", "_", request.node.name).strip("_")
        page.screenshot(path=Path(folder) / f"{name}-{number}.png")


def _note(text: str, kind: str, faults: list[str]) -> None:
    # A refused or lost request is what many tests are about; the browser logs each of them.
    if kind == "error" and "Failed to load resource" not in text:
        faults.append(text)
