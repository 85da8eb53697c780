from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.journeys.browser.house import House
from tests.journeys.conftest import Shell


@pytest.fixture
def house(tmp_path: Path, shell: Shell, open_page: Callable[[str], Page], static: Path) -> Iterator[House]:
    """An empty folder for a project, a shell and a browser; its server ends with the test."""
    made = House(tmp_path, shell, open_page)
    yield made
    made.end()
