"""What all tests share: the long form on request."""

from __future__ import annotations

import os
import re
from typing import Any

# Before a library is loaded that reads it: on a busy machine threads that wait for each other cost many times the CPU.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # noqa: TID251 - tests are a door
# Ray gives its workers a low priority: beside other tests they would hardly move.
os.environ.setdefault("RAY_worker_niceness", "0")  # noqa: TID251 - likewise

import pytest
from hypothesis import settings
from tests.browser import browser, build_app, context, open_page, static  # noqa: F401 -- fixtures for all
from tests.local_ray import local_ray  # noqa: F401 -- a fixture for all
from tests.local_spark import local_spark  # noqa: F401 -- a fixture for all
from tests.object_storage import bucket, proxy, s3_server  # noqa: F401 -- fixtures for all
from tests.postgres import database_url, migrated_file, postgres  # noqa: F401 -- fixtures for all

# The same examples at each run, so that a red build means a change; --slow looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --slow, --engine and --screenshots."""
    parser.addoption("--slow", action="store_true", help="also run the long forms")
    parser.addoption(
        "--engine", default="serial", help="the engine that journeys run on: serial, processes, ray or spark"
    )
    parser.addoption("--screenshots", metavar="FOLDER", help="keep a picture of each page as its test leaves it")


def pytest_configure(config: pytest.Config) -> None:
    """Choose hypothesis' examples."""
    if not config.getoption("--slow"):
        settings.load_profile("steady")


CLUSTER = re.compile(r"(?<![a-z])(ray|spark)(?![a-z])")
"""Tests with such a word in their name start clusters."""

WAITING_ROOMS = {"engines", "trials"}
"""Folders whose tests wait for other programs."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out one test at a time: some take a minute, and all workers should end together."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
        def _split_scope(self, nodeid: str) -> str:
            return nodeid

    return Scheduling(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give tests that wait for other programs a second try."""
    is_waiting = CLUSTER.search(item.nodeid) or "kill" in item.name or item.path.parent.name in WAITING_ROOMS
    if is_waiting or "browser" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long forms out unless they are asked for."""
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="a long form: ask for it with --slow"))
