"""Every encoder keeps the promises of its role."""

from __future__ import annotations

from typing import Any

import pytest

from labelmill import registry
from labelmill.testing import encoder

MAKERS: dict[str, Any] = {"hashing": lambda: registry.find("encoder", "hashing")(dimensions=64)}
"""Small encoders, by the name of their plugin."""


@pytest.mark.parametrize("promise", encoder.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", registry.names("encoder"))
def test_encoder_keeps_promise(name: str, promise: Any) -> None:
    """The encoder called `name` keeps the promise."""
    promise(MAKERS[name])
