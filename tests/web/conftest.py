"""A browser, the built app, and a server to misbehave: a page error or a breach of the policy fails any test."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.web.app_build import load_build_app
from tests.web.fake_server import FakeServer

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
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def serve(static: Path) -> Iterator[Callable[..., FakeServer]]:
    """Starts a fake server with such contents; it ends with the test."""
    started: list[FakeServer] = []

    def start(**contents: Any) -> FakeServer:
        started.append(FakeServer(static, **contents))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def fake(serve: Callable[..., FakeServer]) -> FakeServer:
    """A project of thirty texts with three classes."""
    return serve()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of one person; what is kept in it goes with the test."""
    with browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB") as context:
        yield context


@pytest.fixture
def open_page(context: BrowserContext) -> Iterator[Callable[[str], Page]]:
    """Opens pages; any error on them, and any breach of the policy, fails the test."""
    faults: list[str] = []

    def open_at(address: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.add_init_script(WATCH_POLICY)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: _note(message.text, message.type, faults))
        page.goto(address)
        return page

    yield open_at
    assert faults == []


def _note(text: str, kind: str, faults: list[str]) -> None:
    # A refused or lost request is what many tests are about; the browser logs each of them.
    if kind == "error" and "Failed to load resource" not in text:
        faults.append(text)
