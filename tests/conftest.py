"""What all tests share: the long form on request."""

from __future__ import annotations

import re

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


CLUSTERS = re.compile(r"ray|spark|cluster|kill", re.IGNORECASE)
"""Tests with such a name start clusters or kill what runs: one after the other, while others run beside them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long forms out unless they are asked for; keep the tests with clusters on one worker."""
    for item in items:
        is_heavy = item.path.parent.name in {"engines", "trials"} or CLUSTERS.search(item.nodeid)
        if is_heavy:
            item.add_marker(pytest.mark.xdist_group("clusters"))
        if is_heavy or "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))  # they wait for other programs, which a busy machine delays
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="a long form: ask for it with --slow"))
