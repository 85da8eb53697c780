"""A server to misbehave, for the tests of the browser app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser import keep_pictures, watched_page
from tests.web.desks import Desks
from tests.web.fake_server import FakeServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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


@pytest.fixture(scope="session")
def shared_desks(static: Path, browser: Browser) -> Iterator[tuple[Desks, list[str]]]:
    """One page for all tests that press keys on it, and the errors on it so far."""
    faults: list[str] = []
    fake = FakeServer(static)
    with browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB") as context:
        yield Desks(fake, watched_page(context, faults)), faults
    fake.stop()


@pytest.fixture
def desks(shared_desks: tuple[Desks, list[str]], request: pytest.FixtureRequest) -> Iterator[Desks]:
    """The labelling pages of projects of each sort; an error on one of them fails the test."""
    desks, faults = shared_desks
    faults.clear()
    yield desks
    keep_pictures([desks.page], request)
    assert faults == []
