from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from labelmill import registry
from labelmill.testing import structured_model

FALLBACK = "by_distance"
"""Works for every kind of label that has no model of its own, and for those that have."""


def _pairs() -> list[tuple[str, str]]:
    kinds = registry.names("label_kind")
    own = [(name, name) for name in registry.names("structured_model") if name in kinds]
    return own + [(FALLBACK, kind) for kind in kinds]


@pytest.mark.parametrize("promise", structured_model.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize(("name", "kind"), _pairs())
def test_structured_model_keeps(name: str, kind: str, promise: Callable[[Callable[[], Any], Any], None]) -> None:
    """Every model for structured answers keeps every promise on every kind of label it is for."""
    promise(
        registry.find("structured_model", name),
        registry.find("label_kind", kind)(classes=structured_model.SCHEMA.classes),
    )


def test_every_model_is_tried() -> None:
    """A model is named after the kind it is for, so that it is found; or it is the fallback."""
    kinds = set(registry.names("label_kind"))

    assert set(registry.names("structured_model")) <= kinds | {FALLBACK}
