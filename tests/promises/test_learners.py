"""Every learner keeps the promises of its role."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.learners.torch_models import tiny_text_model

from labelmill import registry
from labelmill.testing import learner

SMALL: dict[str, Callable[[], dict[str, Any]]] = {
    "distilled": lambda: {"n_terms": 512, "n_epochs": 20, "dropout": 0.0},
    "fine_tuned": lambda: {
        "model": tiny_text_model(),
        "method": "full",
        "n_epochs": 10,
        "learning_rate": 1e-2,
        "head_rate": 5e-2,
        "precision": "float32",
    },
}
"""Options with which a learner is quick enough for a test."""

OTHERS = ("fine_tuned_images", "segmenter")
"""Learners of what is no text, which have tests of their own."""


@pytest.mark.parametrize("promise", learner.PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("name", sorted(set(registry.names("learner")) - set(OTHERS)))
def test_learner_keeps_promise(name: str, promise: Any) -> None:
    """The learner called `name` keeps the promise."""
    promise(partial(registry.find("learner", name), **SMALL.get(name, dict)()))
