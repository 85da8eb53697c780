from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labelmill import registry
from labelmill.testing import label_kind


@pytest.mark.parametrize("promise", label_kind.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", registry.names("label_kind"))
def test_label_kind_keeps(name: str, promise: Callable[[Callable[[], Any]], None]) -> None:
    """Every kind of label keeps every promise."""
    promise(registry.find("label_kind", name))
