"""Every learner keeps the promises of its role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


SHORT = ("same_input", "save_and_load", "cross_predictions", "unfitted", "few_items")
"""Promises that a learner of seconds is asked for at each run; for all of them with --slow."""


def _asked() -> Iterator[Any]:
    for name in sorted(set(registry.names("learner")) - set(OTHERS)):
        for promise in learner.PROMISES:
            title = promise.__name__
            is_long = name == "fine_tuned" and not any(word in title for word in SHORT)
            yield pytest.param(name, promise, id=f"{name}-{title}", marks=[pytest.mark.slow] if is_long else [])


@pytest.mark.parametrize(("name", "promise"), list(_asked()))
def test_learner_keeps_promise(name: str, promise: Any) -> None:
    """The learner called `name` keeps the promise."""
    promise(partial(registry.find("learner", name), **SMALL.get(name, dict)()))
