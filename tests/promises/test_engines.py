"""Every engine keeps the promises of its role."""

from __future__ import annotations

import pytest

from labelmill import registry
from labelmill.testing import engine


@pytest.mark.parametrize("promise", engine.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", registry.names("engine"))
def test_engine_keeps_promise(name: str, promise: engine.Promise) -> None:
    """The engine called `name` keeps the promise."""
    promise(registry.find("engine", name))
