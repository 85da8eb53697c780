from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labelmill import registry
from labelmill.testing import format as format_promises


@pytest.mark.parametrize("promise", format_promises.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", registry.names("format"))
def test_format_keeps(name: str, promise: Callable[[Callable[[], Any]], None]) -> None:
    """Every format keeps every promise."""
    promise(registry.find("format", name))
