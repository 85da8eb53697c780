"""Every engine keeps the promises of its role."""

from __future__ import annotations

import pytest

from labelmill import registry
from labelmill.testing import engine

CLUSTERS = {"ray": "local_ray", "spark": "local_spark"}
"""Engine -> the fixture whose cluster it joins, so that not every promise starts one."""


@pytest.mark.parametrize("promise", engine.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", registry.names("engine"))
def test_engine_keeps_promise(name: str, promise: engine.Promise, request: pytest.FixtureRequest) -> None:
    """The engine called `name` keeps the promise."""
    if name in CLUSTERS:
        request.getfixturevalue(CLUSTERS[name])

    promise(registry.find("engine", name))
