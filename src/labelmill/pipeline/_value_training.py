"""Training where an answer is more than a class: learners that know the kind of label vote whole values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labelmill import registry
from labelmill.domain.item import ItemBatch
from labelmill.domain.ports import Progress, ValueLearner
from labelmill.domain.vote import VoteBatch
from labelmill.errors import FailedError
from labelmill.pipeline._told_values import told
from labelmill.pipeline.structured import values_without_models
from labelmill.pipeline.workspace import Workspace

__all__ = ["cross_values", "label_kinds_of", "require_learnable", "value_targets"]


def label_kinds_of(name: str) -> tuple[str, ...]:
    """Kinds of label that a learner of values learns; empty for one that learns classes."""
    kinds: tuple[str, ...] = getattr(registry.find("learner", name), "label_kinds", ())
    return kinds


def require_learnable(workspace: Workspace, name: str, *, verb: str = "train") -> None:
    """Refuse a learner that does not learn what the project asks for.

    Raises
    ------
    FailedError
        Names what it learns, and what to do.
    """
    kind, kinds = workspace.schema.kind, label_kinds_of(name)
    if kinds and kind not in kinds:
        raise FailedError(f"the learner {name!r} learns {', '.join(kinds)}, not {kind}: choose another --learner")
    if not kinds:
        workspace.require_classes(
            verb,
            "choose a learner that learns it (segmenter: mask), or import the answers of models as files of votes",
        )


def value_targets(workspace: Workspace, items: Sequence[str]) -> list[Any]:
    """What people and rules answer on each item; None where they do not.

    Raises
    ------
    FailedError
        If nobody has answered yet.
    """
    merged = values_without_models(workspace)
    values = [merged[item].value if item in merged else None for item in items]
    if all(value is None for value in values):
        raise FailedError("nobody has voted yet: run `labelmill annotate` or import people's answers first")
    return values


def cross_values(
    workspace: Workspace, name: str, learner: ValueLearner, batch: ItemBatch, values: Sequence[Any], progress: Progress
) -> VoteBatch:
    """What the learner answers on each item by a fit that did not see it, as the lake keeps it."""
    weights = np.ones(len(batch))
    votes = learner.cross_predict_values(batch, values, workspace.schema, weights, progress=progress)
    return told(votes, name, batch, workspace.schema)
