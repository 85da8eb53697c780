"""Every learner keeps the promises of its role."""

from __future__ import annotations

from typing import Any

import pytest

from labelmill import registry
from labelmill.testing import learner


@pytest.mark.parametrize("promise", learner.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", registry.names("learner"))
def test_learner_keeps_promise(name: str, promise: Any) -> None:
    """The learner called `name` keeps the promise."""
    promise(registry.find("learner", name))
