"""Every label model keeps the promises of its role."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labelmill import registry
from labelmill.testing import label_model


@pytest.mark.parametrize("name", registry.names("label_model"))
@pytest.mark.parametrize("promise", label_model.PROMISES, ids=lambda promise: promise.__name__)
def test_label_model_keeps_promise(name: str, promise: Callable[[label_model.Factory], None]) -> None:
    """The label model called `name` keeps the promise."""
    promise(registry.find("label_model", name))
