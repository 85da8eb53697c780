"""Every query strategy keeps the promises of its role."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labelmill import registry
from labelmill.testing import query_strategy


@pytest.mark.parametrize("promise", query_strategy.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", registry.names("query_strategy"))
def test_query_strategy_keeps_promise(name: str, promise: Callable[[query_strategy.Factory], None]) -> None:
    """The query strategy called `name` keeps the promise."""
    promise(registry.find("query_strategy", name))
